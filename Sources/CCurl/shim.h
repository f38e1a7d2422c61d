#pragma once
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

// Calls of libcurl with variable arguments, which Swift cannot make.

static inline CURLcode ccurl_set_text(CURL *request, CURLoption option, const char *text) {
  return curl_easy_setopt(request, option, text);
}

static inline CURLcode ccurl_set_number(CURL *request, CURLoption option, long number) {
  return curl_easy_setopt(request, option, number);
}

/// - `context`: the last argument of `take`.
static inline CURLcode ccurl_set_writer(CURL *request, curl_write_callback take, void *context) {
  CURLcode code = curl_easy_setopt(request, CURLOPT_WRITEFUNCTION, take);
  return code ? code : curl_easy_setopt(request, CURLOPT_WRITEDATA, context);
}

/// The status of the HTTP answer; 0 without one.
static inline long ccurl_status(CURL *request) {
  long status = 0;
  curl_easy_getinfo(request, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

/// What the header Retry-After came to, in seconds; 0 without one.
static inline long long ccurl_retry_after(CURL *request) {
  curl_off_t seconds = 0;
  curl_easy_getinfo(request, CURLINFO_RETRY_AFTER, &seconds);
  return seconds;
}

static inline CURLcode ccurl_result(const CURLMsg *message) { return message->data.result; }
