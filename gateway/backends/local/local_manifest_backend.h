#ifndef ENTREPOT_GATEWAY_BACKENDS_LOCAL_LOCAL_MANIFEST_BACKEND_H_
#define ENTREPOT_GATEWAY_BACKENDS_LOCAL_LOCAL_MANIFEST_BACKEND_H_

#include <memory>

#include "gateway/backends/manifest_backend.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/maintenance/maintenance.h"
#include "services/runtime/threads/bounded_executor.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::gateway {

// The manifest service in this process. Manifests and blobs are looked up on the caller's thread; listings and
// everything that writes (FindBlob renews a lease from time to time) run on `executor`, deletions of repositories on
// `deletions`. All must outlive it;
// runtime/threads/executor_awaitable.h has the order in which to end.
std::unique_ptr<ManifestBackend> MakeLocalManifestBackend(manifest::RegistryCatalog* catalog,
                                                          manifest::Maintenance* maintenance,
                                                          runtime::Executor* executor,
                                                          runtime::BoundedExecutor* deletions);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_LOCAL_LOCAL_MANIFEST_BACKEND_H_
