#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_CATALOG_LISTING_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_CATALOG_LISTING_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/core/caller.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog/repository_reads.h"

namespace entrepot::manifest {

// The catalog's lists; a page costs what the page holds, however long the list is. RegistryCatalog describes callers
// and status codes. Thread-safe.
class CatalogListing {
 public:
  // Bounds on one page, which hold for any `limit`.
  //
  // Entries of a page of any list. The gateway asks for at most kTagsPerPage.max, kRepositoriesPerPage.max or
  // kReferrersPerPage.max entries (handlers in gateway/api/content): to raise one of those above this bound, raise this
  // one too.
  static constexpr size_t kEntriesMax = 10'000;
  // A page of referrers has two more bounds, because referrers can be large and are filtered here. Records that are
  // read for the page, including those that the filter drops:
  static constexpr size_t kReferrersReadMax = 5'000;
  // Bytes of the records in the page. The last record may exceed it.
  static constexpr size_t kReferrerBytesMax = 2 * 1024 * 1024;

  // Both must outlive it.
  CatalogListing(kv::KvEngine* kv, const RepositoryReads* reads) : kv_(kv), reads_(reads) {}

  // Each list is in bytewise order, starts after `last` (which need not exist, nor be well-formed), and has at most
  // `limit` (>= 1) entries, fewer if a page would become too large.

  // NAME_UNKNOWN: nothing was ever pushed to the repository.
  absl::StatusOr<TagPage> Tags(const Caller& caller, const RepositoryName& repository, size_t limit,
                               absl::string_view last);
  // All referrers if `artifact_type` is empty. A subject that does not exist has no referrers.
  absl::StatusOr<ReferrerPage> Referrers(const Caller& caller, const RepositoryName& repository, const Digest& subject,
                                         absl::string_view artifact_type, size_t limit, absl::string_view last);
  // Only repositories that one of `patterns` matches (services/policy/repository_pattern.h). kInvalidArgument: one of
  // them is not a pattern. Does not check what the caller may see: `patterns` do.
  absl::StatusOr<RepositoryPage> Repositories(size_t limit, absl::string_view last,
                                              const std::vector<std::string>& patterns);

 private:
  absl::StatusOr<ReferrerPage> ReadReferrers(const RepositoryName& repository, const Digest& subject,
                                             absl::string_view artifact_type, size_t limit, absl::string_view last);

  kv::KvEngine* const kv_;
  const RepositoryReads* const reads_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_CATALOG_LISTING_H_
