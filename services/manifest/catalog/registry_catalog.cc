#include "services/manifest/catalog/registry_catalog.h"

#include "services/manifest/records/catalog_format.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {

absl::StatusOr<std::unique_ptr<RegistryCatalog>> RegistryCatalog::Create(kv::KvEngine* kv, const Clock* clock,
                                                                         const Options& options) {
  RETURN_IF_ERROR(EnsureFormat(*kv));
  std::unique_ptr<RegistryCatalog> catalog(new RegistryCatalog(kv, clock, options));
  RETURN_IF_ERROR(catalog->reads_.Recover());
  return catalog;
}

RegistryCatalog::RegistryCatalog(kv::KvEngine* kv, const Clock* clock, const Options& options)
    : policy_(options.policy),
      metrics_(options.registry),
      reads_(kv, options.shared),
      repositories_(kv, clock, &policy_, &reads_, options.finish_deletion),
      blobs_({.kv = kv,
              .clock = clock,
              .lease = options.lease,
              .objects = options.objects,
              .policy = &policy_,
              .reads = &reads_,
              .repositories = &repositories_,
              .metrics = &metrics_}),
      manifests_({.kv = kv,
                  .clock = clock,
                  .pulls = options.pulls,
                  .policy = &policy_,
                  .reads = &reads_,
                  .repositories = &repositories_,
                  .metrics = &metrics_}),
      lists_(kv, &reads_),
      fetch_claims_(kv, clock) {}

}  // namespace entrepot::manifest
