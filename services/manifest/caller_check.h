#ifndef ENTREPOT_SERVICES_MANIFEST_CALLER_CHECK_H_
#define ENTREPOT_SERVICES_MANIFEST_CALLER_CHECK_H_

#include <atomic>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/caller.h"
#include "services/kv/kv_engine.h"
#include "services/runtime/threads/executor.h"
#include "services/runtime/threads/periodic_task.h"

namespace entrepot::manifest {

// CallerCheck: refuses calls without a token if the metadata belongs to a registry with accounts, so that a gateway
// that is started without its auth_service by mistake does not open the registry to everyone. The metadata is marked as
// such if the service starts with a policy that needs accounts, and at the first call with a token. If other processes
// share the metadata, what they have marked is known here within kReadAgainAfter. Thread-safe.
class CallerCheck {
 public:
  static constexpr absl::Duration kReadAgainAfter = absl::Seconds(5);

  struct Options {
    // The policy has rules that name subjects.
    bool policy_needs_accounts = false;
    bool allow_unauthenticated = false;
    // Other processes write the same metadata.
    bool shared = false;
    // Zero: only ReadAgain() reads again, for tests.
    absl::Duration read_again_after = kReadAgainAfter;
  };

  // The KV must have a format record (records/catalog_format.h). Both must outlive the check.
  static absl::StatusOr<std::unique_ptr<CallerCheck>> Open(kv::KvEngine* kv, runtime::Executor* executor,
                                                           const Options& options);

  // kPermissionDenied (DENIED): the call has no token and needs one. Does not block.
  absl::Status Check(const Caller& caller);
  // Looks whether another process has marked the metadata. Blocks on the KV.
  void ReadAgain();

 private:
  CallerCheck(kv::KvEngine* kv, runtime::Executor* executor, const Options& options)
      : kv_(*kv), executor_(*executor), allow_unauthenticated_(options.allow_unauthenticated) {}

  kv::KvEngine& kv_;
  runtime::Executor& executor_;
  const bool allow_unauthenticated_;
  std::atomic<bool> has_accounts_{false};
  // Null if the metadata is not shared. Last: its thread uses the others.
  std::unique_ptr<runtime::PeriodicTask> reading_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CALLER_CHECK_H_
