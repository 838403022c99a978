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

// Reads one page of the repositories that patterns match. Reads only the ranges of names in which a match can lie: if
// the patterns have one wildcard at their end, like "driftwood/**", the cost is about that of the page's entries.
class RepositoryListing {
 public:
  // All must outlive the RepositoryListing.
  RepositoryListing(kv::KvReader* kv, const std::vector<policy::RepositoryPattern>* patterns, size_t limit,
                    absl::string_view last)
      : kv_(*kv), patterns_(*patterns), limit_(limit), last_(last) {}

  absl::StatusOr<RepositoryPage> Read() &&;

 private:
  absl::Status ReadName(const std::string& name);
  absl::Status ReadAllBelow(const std::string& prefix);
  // Adds the repository if it exists and a pattern matches. Returns false once the page is complete.
  absl::StatusOr<bool> Take(absl::string_view name, const kv::KeyValue& entry);

  kv::KvReader& kv_;
  const std::vector<policy::RepositoryPattern>& patterns_;
  const size_t limit_;
  const absl::string_view last_;
  RepositoryPage page_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_REPOSITORY_LISTING_H_
