#ifndef ENTREPOT_GATEWAY_API_UPSTREAM_CACHED_REPOSITORIES_H_
#define ENTREPOT_GATEWAY_API_UPSTREAM_CACHED_REPOSITORIES_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/config/v1/shared.pb.h"
#include "gateway/http/message.h"
#include "services/core/repository_name.h"
#include "services/upstream/names/upstreams_file.h"

namespace entrepot::gateway::api {

// Which requests are for repositories that cache an upstream, by the upstreams file. Thread-safe.
class CachedRepositories {
 public:
  // Returns the upstreams file in force, never null.
  using Current = std::function<std::shared_ptr<const upstream::UpstreamsSnapshot>()>;

  // `listen` has the registry's own names.
  CachedRepositories(Current current, const config::v1::PublicEndpoint& listen);

  // The cached repository that a request names by its path, or by its path and the query parameter `ns`; nullopt: it
  // names a repository of this registry. The name of this registry (the request's Host, the host of
  // listen.external_url, listen.names) as `ns` counts as none. kNotFound (NAME_UNKNOWN): no upstream has the name in
  // `ns`, or its entry does not allow the repository. kInvalidArgument: `ns` is given twice, or the query has an
  // invalid encoding.
  absl::StatusOr<std::optional<RepositoryName>> Find(const http::Request& request, const RepositoryName& path) const;

  // The repository of the default upstream that a request for `path` may mean if this registry has no repository of
  // that name; nullopt: there is none.
  std::optional<RepositoryName> OfDefault(const RepositoryName& path) const;

  // The other repositories that a request for `path` may be for: some clients request a token for the name that they
  // use, and never for the one in the challenge.
  std::vector<RepositoryName> AlsoMeant(const RepositoryName& path) const;

 private:
  bool IsOwnName(absl::string_view ns, const http::Request& request) const;

  const Current current_;
  std::vector<std::string> own_hosts_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_UPSTREAM_CACHED_REPOSITORIES_H_
