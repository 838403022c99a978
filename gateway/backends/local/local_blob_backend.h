#ifndef ENTREPOT_GATEWAY_BACKENDS_LOCAL_LOCAL_BLOB_BACKEND_H_
#define ENTREPOT_GATEWAY_BACKENDS_LOCAL_LOCAL_BLOB_BACKEND_H_

#include <memory>

#include "gateway/backends/blob_backend.h"
#include "services/blob/blob_stack.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::gateway {

// The blob service in this process. Work that may wait for the disk or hash many bytes runs on `executor`; the first
// call with an upload that was staged before a restart, which reads all its bytes back, and the reads of a blob that
// must be hashed, on `long_calls`. Objects are opened on the caller's thread, unless that must read a value from the
// disk. All must outlive it; runtime/threads/executor_awaitable.h has the order in which to end.
std::unique_ptr<BlobBackend> MakeLocalBlobBackend(blob::BlobStack* stack, runtime::Executor* executor,
                                                  runtime::Executor* long_calls);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_LOCAL_LOCAL_BLOB_BACKEND_H_
