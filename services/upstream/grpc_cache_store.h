#ifndef ENTREPOT_SERVICES_UPSTREAM_GRPC_CACHE_STORE_H_
#define ENTREPOT_SERVICES_UPSTREAM_GRPC_CACHE_STORE_H_

#include <memory>

#include "absl/time/time.h"
#include "services/runtime/grpc/service_replicas.h"
#include "services/upstream/store/cache_store.h"

namespace entrepot::upstream {

// The bytes that a writer gathers before it sends them.
inline constexpr size_t kAppendBytes = 1024 * 1024;

// How long a call of MakeRoom() may take.
inline constexpr absl::Duration kMakeRoomDeadline = absl::Hours(2);

// CacheStore of a blob and a manifest service in other processes. Each call but MakeRoom()
// has `deadline` with all its attempts: kUnavailable if no answer came within it. A call that did not reach its service
// is repeated, also an append, so that a restart of a service fails no fetch. A writer has kAppendBytes in memory.
std::unique_ptr<CacheStore> MakeGrpcCacheStore(const std::shared_ptr<runtime::ServiceReplicas>& blob_service,
                                               const std::shared_ptr<runtime::ServiceReplicas>& manifest_service,
                                               absl::Duration deadline);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_GRPC_CACHE_STORE_H_
