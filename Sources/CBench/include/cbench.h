#pragma once
#include <stddef.h>
#include <stdint.h>

// Allocations of the calling thread since it began, by malloc, calloc, realloc and their aligned
// relatives. Linking this target into a program is what counts them.
uint64_t cbench_allocations(void);

// Reads a topic from its beginning to where it ends now, as the smallest program on librdkafka's
// batch call does. Returns the number of records, or -1 after printing what went wrong.
// queued_kbytes and queued_messages are librdkafka's queue bounds.
int64_t cbench_read(const char *brokers, const char *topic, int partitions,
                    const char *queued_kbytes, const char *queued_messages, uint64_t *bytes);
