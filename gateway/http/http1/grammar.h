#ifndef ENTREPOT_GATEWAY_HTTP_HTTP1_GRAMMAR_H_
#define ENTREPOT_GATEWAY_HTTP_HTTP1_GRAMMAR_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace entrepot::gateway::http {

// A control byte other than tab, which no line of a head may contain (RFC 9110 section 5.5).
constexpr bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

// The index of the first control byte at or after `from`; the text's size without one. Reads eight bytes at a time.
size_t FindControl(absl::string_view text, size_t from);

constexpr bool IsBlank(char c) { return c == ' ' || c == '\t'; }

// tchar of RFC 9110 section 5.6.2: methods and field names.
bool IsTokenByte(char c);
bool IsToken(absl::string_view text);

// Whether all bytes are allowed in a path and a query by RFC 3986, including "%" and "?".
bool IsTargetText(absl::string_view text);

// uri-host [ ":" port ] of RFC 9110 section 7.2, the host not empty.
bool IsAuthority(absl::string_view text);

absl::string_view TrimBlanks(absl::string_view text);

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_HTTP1_GRAMMAR_H_
