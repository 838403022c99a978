#ifndef ENTREPOT_GATEWAY_HTTP_HTTP1_RESPONSE_HEAD_H_
#define ENTREPOT_GATEWAY_HTTP_HTTP1_RESPONSE_HEAD_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "gateway/http/message.h"

namespace entrepot::gateway::http {

// The reason phrase; empty for an unknown status.
absl::string_view ReasonPhrase(int status);

struct ResponseHead {
  absl::string_view date;
  absl::string_view request_id;
  std::optional<uint64_t> content_length;
  bool close = false;
};

// Appends the status line, the response's fields, the server's own fields and the empty line. Aborts if a field's value
// contains a control byte: a client could inject headers with it.
void AppendHead(const Response& response, const ResponseHead& head, std::string* out);

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_HTTP1_RESPONSE_HEAD_H_
