#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_RANGES_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_RANGES_H_

#include <string>
#include <vector>

#include "services/policy/repository_pattern.h"

namespace entrepot::manifest {

// A range of repository names: one name, or all names with a prefix.
struct RepositoryRange {
  std::string text;
  bool is_prefix = false;

  friend bool operator==(const RepositoryRange&, const RepositoryRange&) = default;
};

// The ranges in which repositories can lie that one of the patterns matches; sorted by name, none within another.
std::vector<RepositoryRange> RangesOf(const std::vector<policy::RepositoryPattern>& patterns);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_RANGES_H_
