#include "services/manifest/caller_check.h"

#include "absl/time/time.h"
#include "services/manifest/records/catalog_format.h"
#include "services/runtime/log/json_log.h"
#include "services/runtime/log/limited_log.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

constexpr absl::string_view kRefusal =
    "this registry has accounts, and its gateway runs without auth_service: set auth_service in the gateway's "
    "configuration, or allow_unauthenticated: true in the manifest service's";

bool HasToken(const Caller& caller) { return caller.token_issued_at != absl::InfiniteFuture(); }

}  // namespace

absl::StatusOr<std::unique_ptr<CallerCheck>> CallerCheck::Open(kv::KvEngine* kv, runtime::Executor* executor,
                                                               const Options& options) {
  std::unique_ptr<CallerCheck> check(new CallerCheck(kv, executor, options));
  ASSIGN_OR_RETURN(const bool marked, HasAccounts(*kv));
  if (options.policy_needs_accounts && !marked) RETURN_IF_ERROR(MarkAccounts(*kv));
  check->has_accounts_ = marked || options.policy_needs_accounts;
  if (options.shared && options.read_again_after > absl::ZeroDuration()) {
    check->reading_ = std::make_unique<runtime::PeriodicTask>(options.read_again_after,
                                                              [check = check.get()] { check->ReadAgain(); });
  }
  return check;
}

void CallerCheck::ReadAgain() {
  // What is marked stays so.
  if (has_accounts_.load(std::memory_order_relaxed)) return;
  const absl::StatusOr<bool> marked = HasAccounts(kv_);
  if (marked.ok() && *marked) has_accounts_ = true;
}

absl::Status CallerCheck::Check(const Caller& caller) {
  if (HasToken(caller)) {
    if (has_accounts_.load(std::memory_order_relaxed) || has_accounts_.exchange(true)) return absl::OkStatus();
    executor_.Post([this] {
      const absl::Status marked = MarkAccounts(kv_);
      if (marked.ok()) return;
      has_accounts_ = false;
      runtime::LogLimited(runtime::LogLevel::kWarning, "cannot note that this registry has accounts", "",
                          {{"error", marked.message()}});
    });
    return absl::OkStatus();
  }
  if (allow_unauthenticated_ || !has_accounts_.load(std::memory_order_relaxed)) return absl::OkStatus();
  runtime::LogLimited(runtime::LogLevel::kError, "refused a call without a token", "", {{"reason", kRefusal}});
  return OciError(OciErrorCode::kDenied, kRefusal);
}

}  // namespace entrepot::manifest
