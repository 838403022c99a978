#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_RANGES_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_RANGES_H_

#include <string>
#include <vector>

#include "services/policy/repository_pattern.h"

namespace entrepot::manifest {

// Where repositories can lie that patterns match: one name, or all names with a beginning.
struct RepositoryRange {
  std::string text;
  bool is_prefix = false;

  friend bool operator==(const RepositoryRange&, const RepositoryRange&) = default;
};

// In the order of the names, and none within another.
std::vector<RepositoryRange> RangesOf(const std::vector<policy::RepositoryPattern>& patterns);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_RANGES_H_
