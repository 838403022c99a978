#ifndef ENTREPOT_GATEWAY_BACKENDS_LOCAL_LOCAL_BLOB_BACKEND_H_
#define ENTREPOT_GATEWAY_BACKENDS_LOCAL_LOCAL_BLOB_BACKEND_H_

#include <memory>

#include "gateway/backends/blob_backend.h"
#include "services/blob/blob_stack.h"
#include "services/blob/blob_threads.h"

namespace entrepot::gateway {

// The blob service in this process. Work that may wait for the disk or for a server, or hash many bytes, runs on
// `threads`; the first call with an upload that was staged before a restart, which reads all its bytes back, and the
// reads of a blob that must be hashed, on its `long_calls`. Objects are opened on the caller's thread, unless that must
// read a value from the disk or ask a server. All must outlive it; runtime/threads/executor_awaitable.h has the order
// in which to end.
std::unique_ptr<BlobBackend> MakeLocalBlobBackend(blob::BlobStack* stack, const blob::BlobThreads& threads);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_LOCAL_LOCAL_BLOB_BACKEND_H_
