#include "services/blob/sessions/upload_claims.h"

#include <utility>
#include <vector>

#include "services/core/time/proto_time.h"
#include "services/runtime/log/limited_log.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

// A claim that ends later than this from now was made before the clock was set back. The clocks of replicas differ
// less.
constexpr absl::Duration kLongest = absl::Minutes(1);

absl::Duration Left(const storage::v1::UploadRecord& record, absl::Time now) {
  if (!record.has_claim()) return absl::ZeroDuration();
  const absl::Duration left = FromTimestamp(record.claim().expires_at()) - now;
  return left > kLongest ? absl::ZeroDuration() : left;
}

}  // namespace

UploadClaims::Held::~Held() {
  absl::MutexLock lock(&claims_.mutex_);
  claims_.held_.erase(version_);
}

absl::Status UploadClaims::Held::Confirm() {
  {
    absl::MutexLock lock(&claims_.mutex_);
    const auto found = claims_.held_.find(version_);
    if (found != claims_.held_.end() && claims_.clock_.Now() < found->second.expires_at) return absl::OkStatus();
  }
  return claims_.RenewOne(id_, version_);
}

void UploadClaims::Held::Stamp(Record& record) {
  const absl::Time expires_at = claims_.clock_.Now() + kLifetime;
  record.set_version(version_);
  claims_.PutClaim(seals_, expires_at, record);
  claims_.Note(version_, expires_at);
}

void UploadClaims::Held::Release() {
  {
    absl::MutexLock lock(&claims_.mutex_);
    claims_.held_.erase(version_);
  }
  const absl::Status status = claims_.records_
                                  .Change(id_,
                                          [&](Record& record) {
                                            if (record.version() != version_) return ChangedMeanwhile();
                                            record.set_version(VersionedRecords::NewVersion());
                                            record.clear_claim();
                                            return absl::OkStatus();
                                          })
                                  .status();
  if (status.ok() || absl::IsNotFound(status) || absl::IsOutOfRange(status)) return;
  runtime::LogLimited(runtime::LogLevel::kWarning, "an upload stays claimed for some seconds", "",
                      {{"upload_id", id_.ToString()}, {"error", status.message()}});
}

absl::StatusOr<UploadClaims::Taken> UploadClaims::Take(const UploadId& id, bool seals,
                                                       const std::function<absl::Status(Record&)>& check) {
  const std::string version = VersionedRecords::NewVersion();
  absl::Time expires_at;
  ASSIGN_OR_RETURN(Record record, records_.Change(id, [&](Record& stored) -> absl::Status {
    RETURN_IF_ERROR(CheckFree(stored));
    RETURN_IF_ERROR(check(stored));
    expires_at = clock_.Now() + kLifetime;
    stored.set_version(version);
    PutClaim(seals, expires_at, stored);
    return absl::OkStatus();
  }));
  {
    absl::MutexLock lock(&mutex_);
    held_.emplace(version, Entry{.id = id, .expires_at = expires_at});
  }
  return Taken{.record = std::move(record), .claim = std::unique_ptr<Held>(new Held(this, id, version, seals))};
}

bool UploadClaims::IsHeld(const Record& record) const { return Left(record, clock_.Now()) > absl::ZeroDuration(); }

absl::Status UploadClaims::CheckFree(const Record& record) const {
  const absl::Duration left = Left(record, clock_.Now());
  if (left <= absl::ZeroDuration()) return absl::OkStatus();
  if (record.claim().seals()) {
    return WithRetryAfter(OciError(OciErrorCode::kUnavailable, "another request completes this upload; retry"), left);
  }
  if (left <= kLifetime - kOverdueAfter) {
    return WithRetryAfter(
        OciError(OciErrorCode::kUnavailable, "the replica that used this upload does not renew its claim; retry"),
        left);
  }
  return OciError(OciErrorCode::kRangeInvalid, "another request is using this upload");
}

void UploadClaims::Renew() {
  std::vector<std::pair<std::string, UploadId>> due;
  {
    const absl::Time now = clock_.Now();
    absl::MutexLock lock(&mutex_);
    for (const auto& [version, entry] : held_) {
      // A save has renewed the others.
      if (entry.expires_at - now <= kOverdueAfter) due.emplace_back(version, entry.id);
    }
  }
  for (const auto& [version, id] : due) {
    const absl::Status status = RenewOne(id, version);
    if (status.ok() || absl::IsNotFound(status) || absl::IsOutOfRange(status)) continue;
    runtime::LogLimited(runtime::LogLevel::kWarning, "the claim of an upload could not be renewed", "",
                        {{"upload_id", id.ToString()}, {"error", status.message()}});
  }
}

void UploadClaims::PutClaim(bool seals, absl::Time expires_at, Record& record) const {
  storage::v1::UploadClaimRecord& claim = *record.mutable_claim();
  claim.set_holder(holder_);
  claim.set_seals(seals);
  *claim.mutable_expires_at() = ToTimestamp(expires_at);
}

void UploadClaims::Note(const std::string& version, absl::Time expires_at) {
  absl::MutexLock lock(&mutex_);
  if (const auto found = held_.find(version); found != held_.end()) found->second.expires_at = expires_at;
}

absl::Status UploadClaims::RenewOne(const UploadId& id, const std::string& version) {
  absl::Time expires_at;
  RETURN_IF_ERROR(records_
                      .Change(id,
                              [&](Record& record) {
                                if (record.version() != version) return ChangedMeanwhile();
                                expires_at = clock_.Now() + kLifetime;
                                *record.mutable_claim()->mutable_expires_at() = ToTimestamp(expires_at);
                                return absl::OkStatus();
                              })
                      .status());
  Note(version, expires_at);
  return absl::OkStatus();
}

}  // namespace entrepot::blob
