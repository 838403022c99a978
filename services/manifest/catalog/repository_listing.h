#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_LISTING_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_LISTING_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/core/content.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog/repository_ranges.h"
#include "services/policy/repository_pattern.h"

namespace entrepot::manifest {

// One page of the repositories that patterns match. Only where a match can lie is read: a page costs about what it
// holds where the patterns end in their one wildcard, as "driftwood/**" does.
class RepositoryListing {
 public:
  // All must outlive it.
  RepositoryListing(kv::KvReader* kv, const std::vector<policy::RepositoryPattern>* patterns, size_t limit,
                    absl::string_view last)
      : kv_(*kv), patterns_(*patterns), limit_(limit), last_(last) {}

  absl::StatusOr<RepositoryPage> Read() &&;

 private:
  absl::Status ReadName(const std::string& name);
  absl::Status ReadAllBelow(const std::string& prefix);
  // False once nothing more is wanted.
  absl::StatusOr<bool> Take(absl::string_view name, const kv::KeyValue& entry);

  kv::KvReader& kv_;
  const std::vector<policy::RepositoryPattern>& patterns_;
  const size_t limit_;
  const absl::string_view last_;
  RepositoryPage page_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_LISTING_H_
