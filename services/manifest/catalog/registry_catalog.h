#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_REGISTRY_CATALOG_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_REGISTRY_CATALOG_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "prometheus/registry.h"
#include "services/core/blob_storage.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog/blob_catalog.h"
#include "services/manifest/catalog/catalog_listing.h"
#include "services/manifest/catalog/catalog_metrics.h"
#include "services/manifest/catalog/fetch_claims.h"
#include "services/manifest/catalog/manifest_catalog.h"
#include "services/manifest/catalog/pull_times.h"
#include "services/manifest/catalog/repository_reads.h"
#include "services/manifest/catalog/repository_remover.h"
#include "services/policy/policy.h"

namespace entrepot::manifest {

// The content of the registry: blobs, links, manifests, tags, references and referrers as records of one KV
// (docs/records.md). This class puts the parts together; each part has the contract of its own calls. Each change is
// one transaction (records/catalog_locks.h has the protocol). Thread-safe. Calls that write block until they are
// durable; other calls may block on a disk read.
//
// Each call is made on behalf of a caller. A call is refused with kUnauthenticated (UNAUTHORIZED) if the caller's token
// was issued before the repository was deleted: the name may mean something else now. The gateway has decided whether
// the caller may pull, push or delete at all. Rules that depend on the content are decided here, within the
// transaction: kPermissionDenied (DENIED) if the policy's tag rules forbid the call.
//
// Status codes come with their OCI codes: kNotFound as BLOB_UNKNOWN, MANIFEST_UNKNOWN or NAME_UNKNOWN; kInvalidArgument
// as MANIFEST_INVALID, DIGEST_INVALID or SIZE_INVALID; kNotFound as MANIFEST_BLOB_UNKNOWN from a manifest push.
// kAborted and kUnavailable come from the KV engine. kDataLoss: a stored record cannot be read.
class RegistryCatalog {
 public:
  struct Options {
    // Other processes write the same records.
    bool shared = false;
    // How long an acknowledged blob is safe from collection before a manifest refers to it.
    absl::Duration lease = absl::Hours(24);
    // The registry of the metrics of pushes, mounts and deduplication. If null, they are counted but not exported.
    std::shared_ptr<prometheus::Registry> registry;
    // Returns the policy in force at each call. If it is empty or returns null, there are no tag rules.
    PolicyProvider policy = {};
    // The blobs' bytes: a commit checks that they exist. May be null: then a commit does not check. Outlives the
    // catalog.
    BlobStorage* objects = nullptr;
    // Called for each pull by tag, and for each pull from a cache. May be null. Outlives the catalog.
    PullTimes* pulls = nullptr;
    // Where the rest of an interrupted deletion is removed that stands in the way of a push. If empty: in the push.
    RepositoryRemover::FinishElsewhere finish_deletion = {};
  };

  // Checks the stored format, and writes it into an empty KV. kFailedPrecondition: the KV holds another format.
  // `kv` and `clock` must outlive the catalog.
  static absl::StatusOr<std::unique_ptr<RegistryCatalog>> Create(kv::KvEngine* kv, const Clock* clock,
                                                                 const Options& options);

  RegistryCatalog(const RegistryCatalog&) = delete;
  RegistryCatalog& operator=(const RegistryCatalog&) = delete;

  BlobCatalog& blobs() { return blobs_; }
  ManifestCatalog& manifests() { return manifests_; }
  CatalogListing& lists() { return lists_; }
  RepositoryRemover& repositories() { return repositories_; }
  FetchClaims& fetch_claims() { return fetch_claims_; }

 private:
  RegistryCatalog(kv::KvEngine* kv, const Clock* clock, const Options& options);

  const PolicyProvider policy_;
  CatalogMetrics metrics_;
  RepositoryReads reads_;
  RepositoryRemover repositories_;
  BlobCatalog blobs_;
  ManifestCatalog manifests_;
  CatalogListing lists_;
  FetchClaims fetch_claims_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_REGISTRY_CATALOG_H_
