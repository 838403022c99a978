#ifndef ENTREPOT_SERVICES_POLICY_INCOMPLETE_MANIFESTS_H_
#define ENTREPOT_SERVICES_POLICY_INCOMPLETE_MANIFESTS_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "entrepot/config/v1/policy.pb.h"
#include "services/core/repository_name.h"
#include "services/policy/repository_pattern.h"

namespace entrepot::policy {

// What a repository accepts in a manifest although the manifest does not fit the repository's content.
struct Tolerance {
  // Children that an index lists and the repository does not have.
  bool absent_children = false;
  // Layers that an image lists and the repository does not have.
  bool absent_layers = false;
  // Children of another size than the index lists.
  bool wrong_child_sizes = false;
  // No rule allows the following. They are for the caches of upstreams, which keep manifests as they are there.
  // A config that an image names and the repository does not have.
  bool absent_configs = false;
  // Blobs of another size than the manifest lists.
  bool wrong_blob_sizes = false;
};

// The rules incomplete_manifests of a policy file. Immutable and thread-safe.
class IncompleteManifests {
 public:
  // The file must have passed CheckPolicy().
  explicit IncompleteManifests(const config::v1::Policy& file);

  // Everything that one of the rules for the repository allows.
  Tolerance For(const RepositoryName& repository) const;

 private:
  struct Rule {
    std::vector<RepositoryPattern> repositories;
    Tolerance allow;
  };

  std::vector<Rule> rules_;
};

// Sets the field of that name: "absent_children". False if there is none.
bool Allow(absl::string_view name, Tolerance* tolerance);

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_INCOMPLETE_MANIFESTS_H_
