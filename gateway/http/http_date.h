#ifndef ENTREPOT_GATEWAY_HTTP_HTTP_DATE_H_
#define ENTREPOT_GATEWAY_HTTP_HTTP_DATE_H_

#include <ctime>
#include <string>

#include "absl/strings/string_view.h"

namespace entrepot::gateway::http {

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7).
std::string FormatHttpDate(std::time_t seconds);

// The current date's text, made once a second. For one thread.
class HttpDate {
 public:
  // Valid until the next call.
  absl::string_view Now();

 private:
  std::time_t seconds_ = -1;
  std::string text_;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_HTTP_DATE_H_
