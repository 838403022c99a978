#ifndef ENTREPOT_SERVICES_UPSTREAM_CLIENT_CONTENT_RANGE_H_
#define ENTREPOT_SERVICES_UPSTREAM_CLIENT_CONTENT_RANGE_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace entrepot::upstream {

// A Content-Range field of a response (RFC 9110 section 14.4).
struct ContentRange {
  // Both inclusive; nullopt for "bytes */7", which a 416 has.
  std::optional<uint64_t> first;
  std::optional<uint64_t> last;
  // nullopt for "bytes 2-6/*".
  std::optional<uint64_t> size_bytes;
};

// nullopt for other text, and for ranges that end before they begin or behind the end.
std::optional<ContentRange> ParseContentRange(absl::string_view field);

// The Content-Length field; nullopt for other text than digits.
std::optional<uint64_t> ParseContentLength(absl::string_view field);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_CLIENT_CONTENT_RANGE_H_
