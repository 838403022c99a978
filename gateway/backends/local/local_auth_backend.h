#ifndef ENTREPOT_GATEWAY_BACKENDS_LOCAL_LOCAL_AUTH_BACKEND_H_
#define ENTREPOT_GATEWAY_BACKENDS_LOCAL_LOCAL_AUTH_BACKEND_H_

#include <memory>

#include "gateway/backends/auth_backend.h"
#include "services/auth/authority.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::gateway {

// The auth service in this process. Every call runs on `executor`, which is for these alone, with more threads than
// there may be passwords hashed or waiting for that at once, so that neither the registry's content nor other tokens
// wait for passwords. Both must outlive it, and see runtime/threads/executor_awaitable.h for the order in which things
// end.
std::unique_ptr<AuthBackend> MakeLocalAuthBackend(auth::Authority* authority, runtime::Executor* executor);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_LOCAL_LOCAL_AUTH_BACKEND_H_
