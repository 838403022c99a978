#ifndef ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAM_URL_H_
#define ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAM_URL_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot::upstream {

// The URL of a registry, below which /v2/ is: "https://registry-1.docker.io", "http://127.0.0.1:5000",
// "https://artifacts.example/docker".
struct UpstreamUrl {
  bool https = true;
  // A name in lower case, or an IP address without brackets.
  std::string host;
  // The scheme's if the text has none.
  uint32_t port = 0;
  // Empty, or begins with "/" and ends without one: "/docker".
  std::string path;

  // The one text of the URL: without the scheme's port, and without a "/" at the end.
  std::string ToString() const;
};

// kInvalidArgument: the text is no such URL, or has a user, a query, a fragment, or /v2 at its end; the message
// describes the problem.
absl::StatusOr<UpstreamUrl> ParseUpstreamUrl(absl::string_view text);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAM_URL_H_
