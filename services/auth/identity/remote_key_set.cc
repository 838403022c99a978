#include "services/auth/identity/remote_key_set.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/runtime/log/json_log.h"

namespace entrepot::auth {
namespace {

absl::StatusOr<token::KeySet> Parse(const absl::StatusOr<std::string>& text) {
  if (!text.ok()) return text.status();
  return token::KeySet::Parse(*text);
}

}  // namespace

RemoteKeySet::RemoteKeySet(std::string name, Fetch fetch, const Clock* clock)
    : name_(std::move(name)), fetch_(std::move(fetch)), clock_(*clock) {}

absl::StatusOr<KeySetSource::Keys> RemoteKeySet::Get() {
  absl::MutexLock lock(&mutex_);
  const absl::Time now = clock_.Now();
  if (HasKeysYoungerThan(kFetchAgainAfter, now)) return keys_;
  if (fetching_) {
    if (!HasKeysYoungerThan(kStaleMax, now)) WaitForFetch();
  } else if (MayFetch(now)) {
    FetchNow(now);
  }
  return Known(now);
}

absl::StatusOr<KeySetSource::Keys> RemoteKeySet::GetNewer() {
  absl::MutexLock lock(&mutex_);
  const absl::Time now = clock_.Now();
  if (fetching_) {
    WaitForFetch();
  } else if (MayFetch(now)) {
    FetchNow(now);
  }
  return Known(now);
}

bool RemoteKeySet::HasKeysYoungerThan(absl::Duration age, absl::Time now) const {
  return keys_ != nullptr && absl::AbsDuration(now - fetched_at_) < age;
}

bool RemoteKeySet::MayFetch(absl::Time now) const {
  return absl::AbsDuration(now - tried_at_) >= (keys_ == nullptr ? kFirstFetchInterval : kFetchInterval);
}

absl::StatusOr<KeySetSource::Keys> RemoteKeySet::Known(absl::Time now) const {
  if (HasKeysYoungerThan(kStaleMax, now)) return keys_;
  return absl::UnavailableError(absl::StrCat("the keys of ", name_, " cannot be fetched"));
}

void RemoteKeySet::WaitForFetch() {
  if (waiters_ >= kWaitersMax) return;
  ++waiters_;
  const auto done = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !fetching_; };
  mutex_.Await(absl::Condition(&done));
  --waiters_;
}

void RemoteKeySet::FetchNow(absl::Time now) {
  fetching_ = true;
  tried_at_ = now;
  mutex_.Unlock();
  absl::StatusOr<token::KeySet> fetched = Parse(fetch_());
  if (!fetched.ok()) {
    runtime::Log(runtime::LogLevel::kWarning, "identity provider's keys cannot be fetched",
                 {{"provider", name_}, {"error", std::string(fetched.status().message())}});
  }
  mutex_.Lock();
  fetching_ = false;
  if (!fetched.ok()) return;
  keys_ = std::make_shared<const token::KeySet>(*std::move(fetched));
  fetched_at_ = now;
}

}  // namespace entrepot::auth
