#ifndef ENTREPOT_GATEWAY_HTTP_RESPONSE_HEAD_H_
#define ENTREPOT_GATEWAY_HTTP_RESPONSE_HEAD_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "gateway/http/message.h"

namespace entrepot::gateway::http {

// The reason phrase; empty for a status that has none here.
absl::string_view ReasonPhrase(int status);

// The body's length, whatever it is made of.
uint64_t BodyLength(const Body& body);

// What Content-Length says: nothing where no body is allowed (1xx, 204, 304).
std::optional<uint64_t> DeclaredLength(const Response& response, bool is_head);

struct ResponseHead {
  absl::string_view date;
  absl::string_view request_id;
  std::optional<uint64_t> content_length;
  bool close = false;
};

// Appends the status line, the response's fields and the server's own, and the empty line. Crashes where a field's
// value holds a control byte: it would let a client write headers.
void AppendHead(const Response& response, const ResponseHead& head, std::string* out);

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_RESPONSE_HEAD_H_
