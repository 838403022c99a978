#ifndef ENTREPOT_GATEWAY_HTTP_REQUEST_ID_H_
#define ENTREPOT_GATEWAY_HTTP_REQUEST_ID_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace entrepot::gateway::http {

// Whether a client's X-Request-Id is taken over: 1 to 64 letters, digits, "-", "_" or "."; safe in any log or header.
bool IsRequestId(absl::string_view text);

// Makes ids of 16 hexadecimal digits that name a request in logs. Unique by chance, not secret. For one thread.
class RequestIdSource {
 public:
  RequestIdSource();
  std::string Next();

 private:
  uint64_t state_;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_REQUEST_ID_H_
