#ifndef ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAM_NAMES_H_
#define ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAM_NAMES_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/config/v1/upstreams.pb.h"
#include "services/core/repository_name.h"

namespace entrepot::upstream {

// A repository of this registry whose content comes from an upstream.
struct CachedRepository {
  // The name of the upstream: "docker.io".
  std::string upstream;
  // The name here: "docker.io/library/nginx". All ways to ask for the repository give the same name.
  RepositoryName repository;
  // The name at the upstream: "library/nginx".
  std::string name_at_upstream;
};

// Which repositories of requests are cached ones, by the upstreams file. Immutable and thread-safe.
class UpstreamNames {
 public:
  // The file must have passed CheckUpstreams(), and its defaults must be filled in.
  explicit UpstreamNames(const config::v1::Upstreams& file);

  // The cached repository that a request names by the path: "docker.io/nginx" is docker.io/library/nginx. nullopt: the
  // path does not begin with the name or an alias of an upstream, so it names a repository of this registry.
  // kNotFound (NAME_UNKNOWN): the upstream's entry does not allow the repository.
  absl::StatusOr<std::optional<CachedRepository>> ByPath(const RepositoryName& path) const;
  // The cached repository that a request names by the path and the query parameter `ns`, the host of the upstream:
  // "docker.io", "registry.example:5000", in any case. The upstream's name may stand in the path too. kNotFound
  // (NAME_UNKNOWN): no upstream has that name, or its entry does not allow the repository.
  absl::StatusOr<CachedRepository> ByNamespace(const RepositoryName& path, absl::string_view ns) const;
  // The repository of the default upstream with that path; nullopt without a default upstream.
  absl::StatusOr<std::optional<CachedRepository>> OfDefault(const RepositoryName& path) const;

  bool empty() const;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAM_NAMES_H_
