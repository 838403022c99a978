#ifndef ENTREPOT_GATEWAY_BACKENDS_LOCAL_LOCAL_UPSTREAM_BACKEND_H_
#define ENTREPOT_GATEWAY_BACKENDS_LOCAL_LOCAL_UPSTREAM_BACKEND_H_

#include <memory>

#include "gateway/backends/upstream_backend.h"
#include "services/runtime/threads/executor.h"
#include "services/upstream/management/upstream_management.h"
#include "services/upstream/upstream_cache.h"

namespace entrepot::gateway {

// The upstream service in this process. Tags are recalled on the caller's thread. Calls that may wait for an upstream
// run on `executor`, which must serve these calls only; those of one upstream have half of its threads
// (services/upstream/upstream_calls.h). Commands run on `reads`, and pieces of a body that are in no file are read
// there. No thread waits for bytes that an upstream has yet to send. All must outlive it. To end: stop the server's
// requests, call UpstreamCache::Stop(), which resumes every coroutine that waits for a fetch, then destroy the
// executors (runtime/threads/executor_awaitable.h).
std::unique_ptr<UpstreamBackend> MakeLocalUpstreamBackend(upstream::UpstreamCache* cache,
                                                          upstream::UpstreamManagement* management,
                                                          runtime::Executor* executor, runtime::Executor* reads);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_LOCAL_LOCAL_UPSTREAM_BACKEND_H_
