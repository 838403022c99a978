#ifndef ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAM_URL_H_
#define ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAM_URL_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot::upstream {

// The URL of a registry, below which /v2/ is: "https://registry-1.docker.io", "http://127.0.0.1:5000",
// "https://artifacts.example/docker".
struct UpstreamUrl {
  bool https = true;
  // FoldHost() of the host and the port: "registry-1.docker.io", "127.0.0.1:5000".
  std::string authority;
  // The host alone, without brackets: "127.0.0.1".
  std::string host;
  // Empty, or begins with "/" and ends without one: "/docker".
  std::string path;

  // The one text of the URL.
  std::string ToString() const;
};

// kInvalidArgument: the text is no such URL, or has a user, a query, a fragment, or /v2 at its end; the message
// describes the problem.
absl::StatusOr<UpstreamUrl> ParseUpstreamUrl(absl::string_view text);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAM_URL_H_
