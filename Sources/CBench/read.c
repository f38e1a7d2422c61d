#include "cbench.h"
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 2000 };

static int set(rd_kafka_conf_t *conf, const char *name, const char *value) {
  char error[256];
  if (rd_kafka_conf_set(conf, name, value, error, sizeof error) == RD_KAFKA_CONF_OK) return 0;
  fprintf(stderr, "%s: %s\n", name, error);
  return -1;
}

int64_t cbench_read(const char *brokers, const char *topic, int partitions,
                    const char *queued_kbytes, const char *queued_messages, uint64_t *bytes) {
  char error[256];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  if (set(conf, "bootstrap.servers", brokers) || set(conf, "group.id", "bench") ||
      set(conf, "enable.auto.commit", "false") || set(conf, "enable.partition.eof", "true") ||
      set(conf, "queued.max.messages.kbytes", queued_kbytes) ||
      set(conf, "queued.min.messages", queued_messages))
    return -1;
  rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
  if (!consumer) {
    fprintf(stderr, "%s\n", error);
    return -1;
  }
  rd_kafka_poll_set_consumer(consumer);
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
  for (int partition = 0; partition < partitions; partition++)
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = 0;
  rd_kafka_assign(consumer, list);
  rd_kafka_topic_partition_list_destroy(list);

  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(consumer);
  static rd_kafka_message_t *messages[BATCH];
  int64_t records = 0;
  int ended = 0;
  while (ended < partitions) {
    ssize_t count = rd_kafka_consume_batch_queue(queue, 1000, messages, BATCH);
    for (ssize_t index = 0; index < count; index++) {
      if (messages[index]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) ended++;
      else if (!messages[index]->err) {
        records++;
        *bytes += messages[index]->len;
      }
      rd_kafka_message_destroy(messages[index]);
    }
  }
  rd_kafka_queue_destroy(queue);
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  return records;
}
