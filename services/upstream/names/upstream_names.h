#ifndef ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAM_NAMES_H_
#define ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAM_NAMES_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/config/v1/upstreams.pb.h"
#include "services/core/repository_name.h"
#include "services/policy/repository_pattern.h"

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
//
// Each function returns kNotFound (NAME_UNKNOWN) if the upstream's entry does not allow the repository, and if its name
// here would be longer than 255 bytes.
class UpstreamNames {
 public:
  // The file must have passed CheckUpstreams(), and its defaults must be filled in.
  explicit UpstreamNames(const config::v1::Upstreams& file);

  // The cached repository that a request names by the path: "docker.io/nginx" is docker.io/library/nginx. nullopt: the
  // path does not begin with the name or an alias of an upstream, so it names a repository of this registry. kNotFound
  // also if the path is the name of an upstream and nothing else.
  absl::StatusOr<std::optional<CachedRepository>> ByPath(const RepositoryName& path) const;
  // The cached repository that a request names by the path and the query parameter `ns`, the host of the upstream:
  // "docker.io", "registry.example:5000", in any case. The name or an alias of the same upstream may stand before the
  // path. kNotFound also if no upstream has that name.
  absl::StatusOr<CachedRepository> ByNamespace(const RepositoryName& path, absl::string_view ns) const;
  // The repository of the default upstream with that path. nullopt: there is no default upstream, or the path begins
  // with the name of another one.
  absl::StatusOr<std::optional<CachedRepository>> OfDefault(const RepositoryName& path) const;

  bool empty() const { return upstreams_.empty(); }

 private:
  struct Upstream {
    std::string name;
    bool is_docker_hub = false;
    // Empty: every repository is allowed.
    std::vector<policy::RepositoryPattern> allowed;
  };
  // Indexes of upstreams_ by folded names.
  using ByHost = absl::flat_hash_map<std::string, size_t>;

  std::optional<size_t> OfFirstComponent(const RepositoryName& path) const;
  absl::StatusOr<CachedRepository> Repository(const Upstream& upstream, absl::string_view path) const;

  std::vector<Upstream> upstreams_;
  // Names and aliases.
  ByHost by_name_;
  // These, and the hosts of URLs. A path is not compared with the hosts of URLs: hosted repositories of that name would
  // not be found any more.
  ByHost by_host_;
  std::optional<size_t> default_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAM_NAMES_H_
