#ifndef ENTREPOT_GATEWAY_HTTP_SERVER_FIELDS_H_
#define ENTREPOT_GATEWAY_HTTP_SERVER_FIELDS_H_

#include <cstdint>
#include <ctime>
#include <string>

#include "absl/strings/string_view.h"

// The values of the fields that the server adds to every response: Date and X-Request-Id.
namespace entrepot::gateway::http {

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7).
std::string FormatHttpDate(std::time_t seconds);

// The text of the current date, formatted once a second. For one thread.
class HttpDate {
 public:
  // Valid until the next call.
  absl::string_view Now();

 private:
  std::time_t seconds_ = -1;
  std::string text_;
};

// Whether the server adopts this X-Request-Id of a client: 1 to 64 letters, digits, "-", "_" or ".". Such an id is safe
// in any log and any header.
bool IsRequestId(absl::string_view text);

// Makes ids of 16 hexadecimal digits that identify a request in logs. They are random: very likely unique, not secret.
// For one thread.
class RequestIdSource {
 public:
  RequestIdSource();
  std::string Next();

 private:
  uint64_t state_;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_SERVER_FIELDS_H_
