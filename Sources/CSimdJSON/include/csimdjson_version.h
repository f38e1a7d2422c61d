#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/// Of the headers that this was compiled against.
const char *csimdjson_version(void);

#ifdef __cplusplus
}
#endif
