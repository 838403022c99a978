#ifndef ENTREPOT_GATEWAY_BACKENDS_LOCAL_LOCAL_AUTH_BACKEND_H_
#define ENTREPOT_GATEWAY_BACKENDS_LOCAL_LOCAL_AUTH_BACKEND_H_

#include <memory>

#include "gateway/backends/auth_backend.h"
#include "services/auth/authority.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::gateway {

// The auth service in this process. Every call runs on `executor`, which must serve these calls only and have more
// threads than passwords may be hashed or queued at once, so that neither content nor other tokens wait for passwords.
// Both must outlive it; runtime/threads/executor_awaitable.h has the order in which to end.
std::unique_ptr<AuthBackend> MakeLocalAuthBackend(auth::Authority* authority, runtime::Executor* executor);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_LOCAL_LOCAL_AUTH_BACKEND_H_
