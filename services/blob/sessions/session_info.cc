#include "services/blob/sessions/session_info.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/core/client_network.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"

namespace entrepot::blob {
namespace {

absl::Status TooMany(absl::string_view problem, absl::Duration wait) {
  return WithRetryAfter(
      OciError(OciErrorCode::kTooManyRequests,
               absl::StrCat(problem, ": finish or cancel some, or try again in ", RetryAfterSeconds(wait), " s")),
      wait);
}

}  // namespace

SessionOwner SessionOwner::Of(const UploadOwner& owner) {
  return {.repository = owner.repository.ToString(),
          .account = owner.account,
          .client = owner.account.empty() ? ClientNetwork(owner.client_address) : ""};
}

// An account may be named like an address.
std::string SessionOwner::Share() const {
  return account.empty() ? absl::StrCat("client ", client) : absl::StrCat("account ", account);
}

absl::Time SessionLimits::ExpiryOf(const SessionInfo& info) const {
  const bool is_fetch = info.state == SessionState::kOpen && info.owner.is_fetch();
  return info.touched_at + (is_fetch ? std::min(kUpstreamLifetime, lifetime) : lifetime);
}

bool Matches(const UploadFilter& filter, const UploadId& id, const SessionOwner& owner) {
  const auto fits = [](const std::string& wanted, const std::string& value) {
    return wanted.empty() || wanted == value;
  };
  return fits(filter.id, id.ToString()) && fits(filter.repository, owner.repository) &&
         fits(filter.account, owner.account) && fits(filter.client, owner.client);
}

absl::Status UnknownSession() { return OciError(OciErrorCode::kBlobUploadUnknown, "unknown upload session"); }

absl::Status ShareIsFull(const SessionOwner& owner, size_t open, absl::Duration wait) {
  return TooMany(absl::StrCat("this ", owner.account.empty() ? "address" : "account", " has ", open,
                              " uploads open, as many as uploads.sessions_per_account_max allows"),
                 wait);
}

absl::Status TooManyOpen(size_t open, absl::Duration wait) {
  return TooMany(absl::StrCat(open, " uploads are open, as many as uploads.sessions_max allows"), wait);
}

absl::Status CheckOffset(const AppendOptions& options, uint64_t end_bytes) {
  if (options.offset_bytes.value_or(end_bytes) == end_bytes) return absl::OkStatus();
  return OciError(
      OciErrorCode::kRangeInvalid,
      absl::StrCat("the upload has ", end_bytes, " bytes: continue at that offset, not at ", *options.offset_bytes));
}

}  // namespace entrepot::blob
