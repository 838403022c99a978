#include "services/upstream/names/docker_hub.h"

#include <algorithm>
#include <iterator>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/upstream/names/upstream_host.h"
#include "services/upstream/names/upstream_url.h"

namespace entrepot::upstream {
namespace {

bool IsHubName(absl::string_view host) {
  return host == kHubName || std::find(std::begin(kHubAliases), std::end(kHubAliases), host) != std::end(kHubAliases);
}

}  // namespace

bool IsDockerHub(const config::v1::Upstream& upstream) {
  if (IsHubName(upstream.name())) return true;
  const absl::StatusOr<UpstreamUrl> url = ParseUpstreamUrl(upstream.url());
  if (url.ok() && url->port == 443 && IsHubName(url->host)) return true;
  return std::any_of(upstream.aliases().begin(), upstream.aliases().end(),
                     [](const std::string& alias) { return IsHubName(FoldHost(alias).value_or("")); });
}

std::string NameAtDockerHub(absl::string_view repository) {
  return absl::StrContains(repository, '/') ? std::string(repository) : absl::StrCat("library/", repository);
}

}  // namespace entrepot::upstream
