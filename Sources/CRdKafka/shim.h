#pragma once
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

// The function is variadic, which Swift does not import.
static inline rd_kafka_resp_err_t rd_kafka_mock_broker_push_request_error(
    rd_kafka_mock_cluster_t *cluster, int32_t broker, int16_t request, int code) {
  return rd_kafka_mock_broker_push_request_error_rtts(
      cluster, broker, request, 1, (rd_kafka_resp_err_t)code, 0);
}
