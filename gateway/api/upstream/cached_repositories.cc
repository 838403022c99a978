#include "gateway/api/upstream/cached_repositories.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "gateway/api/request/query.h"
#include "services/core/host_name.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

constexpr char kNamespace[] = "ns";

// The host of a URL; "" without one.
absl::string_view HostOfUrl(absl::string_view url) {
  const size_t colon = url.find("://");
  return colon == absl::string_view::npos ? "" : HostOf(absl::StripSuffix(url.substr(colon + 3), "/"));
}

// The value of `ns`; "" without one.
absl::StatusOr<std::string> NamespaceOf(const http::Request& request) {
  if (!absl::StrContains(request.query, kNamespace)) return "";
  ASSIGN_OR_RETURN(const Query query, Query::Parse(request.query));
  ASSIGN_OR_RETURN(std::optional<std::string> ns, query.Single(kNamespace, OciErrorCode::kNameInvalid));
  return std::move(ns).value_or("");
}

}  // namespace

CachedRepositories::CachedRepositories(Current current, const config::v1::PublicEndpoint& listen)
    : current_(std::move(current)), own_hosts_(listen.names().begin(), listen.names().end()) {
  const absl::string_view host = HostOfUrl(listen.external_url());
  if (!host.empty()) own_hosts_.emplace_back(host);
}

absl::StatusOr<std::optional<RepositoryName>> CachedRepositories::Find(const http::Request& request,
                                                                       const RepositoryName& path) const {
  ASSIGN_OR_RETURN(const std::string ns, NamespaceOf(request));
  const std::shared_ptr<const upstream::UpstreamsSnapshot> upstreams = current_();
  if (!ns.empty()) {
    absl::StatusOr<upstream::CachedRepository> cached = upstreams->names.ByNamespace(path, ns);
    if (cached.ok()) return std::move(cached->repository);
    if (!absl::IsNotFound(cached.status()) || !IsOwnName(ns, request)) return cached.status();
  }
  ASSIGN_OR_RETURN(std::optional<upstream::CachedRepository> cached, upstreams->names.ByPath(path));
  if (!cached.has_value()) return std::nullopt;
  return std::move(cached->repository);
}

std::optional<RepositoryName> CachedRepositories::OfDefault(const RepositoryName& path) const {
  absl::StatusOr<std::optional<upstream::CachedRepository>> cached = current_()->names.OfDefault(path);
  if (!cached.ok() || !cached->has_value()) return std::nullopt;
  return std::move((*cached)->repository);
}

std::vector<RepositoryName> CachedRepositories::AlsoMeant(const RepositoryName& path) const {
  const absl::StatusOr<std::optional<upstream::CachedRepository>> by_path = current_()->names.ByPath(path);
  std::vector<RepositoryName> names;
  if (by_path.ok() && by_path->has_value()) {
    if (!((*by_path)->repository == path)) names.push_back((*by_path)->repository);
  } else if (std::optional<RepositoryName> of_default = OfDefault(path)) {
    names.push_back(*std::move(of_default));
  }
  return names;
}

bool CachedRepositories::IsOwnName(absl::string_view ns, const http::Request& request) const {
  if (absl::EqualsIgnoreCase(ns, request.Find("Host").value_or(""))) return true;
  const absl::string_view host = HostOf(ns);
  return std::any_of(own_hosts_.begin(), own_hosts_.end(),
                     [host](const std::string& own) { return IsSameHost(own, host); });
}

}  // namespace entrepot::gateway::api
