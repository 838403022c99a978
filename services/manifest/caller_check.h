#ifndef ENTREPOT_SERVICES_MANIFEST_CALLER_CHECK_H_
#define ENTREPOT_SERVICES_MANIFEST_CALLER_CHECK_H_

#include <atomic>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/core/caller.h"
#include "services/kv/kv_engine.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::manifest {

// CallerCheck: refuses calls without a token if the metadata belongs to a registry with accounts, so that a gateway
// that is started without its auth_service by mistake does not open the registry to everyone. The metadata is marked as
// such if the service starts with a policy that needs accounts, and at the first call with a token. Thread-safe.
class CallerCheck {
 public:
  struct Options {
    // The policy has rules that name subjects.
    bool policy_needs_accounts = false;
    bool allow_unauthenticated = false;
  };

  // The KV must have a format record (records/catalog_format.h). Both must outlive the check.
  static absl::StatusOr<std::unique_ptr<CallerCheck>> Open(kv::KvEngine* kv, runtime::Executor* executor,
                                                           const Options& options);

  // kPermissionDenied (DENIED): the call has no token and needs one. Does not block.
  absl::Status Check(const Caller& caller);

 private:
  CallerCheck(kv::KvEngine* kv, runtime::Executor* executor, const Options& options)
      : kv_(*kv), executor_(*executor), allow_unauthenticated_(options.allow_unauthenticated) {}

  kv::KvEngine& kv_;
  runtime::Executor& executor_;
  const bool allow_unauthenticated_;
  std::atomic<bool> has_accounts_{false};
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CALLER_CHECK_H_
