#include "services/upstream/fetch/claim_keeper.h"

#include <optional>
#include <vector>

#include "absl/memory/memory.h"
#include "services/runtime/log/limited_log.h"
#include "services/status/status_macros.h"

namespace entrepot::upstream {

ClaimKeeper::ClaimKeeper(CacheStore* store, Options options) : store_(*store), options_(std::move(options)) {
  thread_ = std::thread([this] { Renew(); });
}

ClaimKeeper::~ClaimKeeper() {
  stop_.Stop();
  thread_.join();
}

absl::StatusOr<std::unique_ptr<ClaimKeeper::Claim>> ClaimKeeper::Take(const std::string& upstream,
                                                                      const Digest& digest) {
  const Key key(upstream, digest.ToString());
  {
    absl::MutexLock lock(&mutex_);
    AwaitIdle(key);
    if (const auto held = held_.find(key); held != held_.end()) {
      ++held->second.users;
      return absl::WrapUnique(new Claim(this, key));
    }
    calling_.insert(key);
  }
  const FetchClaim claim{
      .upstream = upstream, .digest = digest, .holder = options_.holder, .lifetime = options_.lifetime};
  const absl::StatusOr<bool> granted = store_.ClaimFetch(claim);
  absl::MutexLock lock(&mutex_);
  EndCall(key);
  RETURN_IF_ERROR(granted.status());
  if (!*granted) return nullptr;
  held_.emplace(key, Held{.claim = claim, .users = 1});
  return absl::WrapUnique(new Claim(this, key));
}

void ClaimKeeper::Release(const Key& key) {
  std::map<Key, Held>::node_type held;
  {
    absl::MutexLock lock(&mutex_);
    AwaitIdle(key);
    const auto found = held_.find(key);
    if (--found->second.users > 0) return;
    held = held_.extract(found);
    calling_.insert(key);
  }
  held.mapped().claim.lifetime = absl::ZeroDuration();
  // If it fails, the claim ends by itself.
  store_.ClaimFetch(held.mapped().claim).IgnoreError();
  absl::MutexLock lock(&mutex_);
  EndCall(key);
}

void ClaimKeeper::Renew() {
  while (!stop_.WaitFor(options_.renewal_interval)) {
    std::vector<Key> keys;
    {
      absl::MutexLock lock(&mutex_);
      for (const auto& [key, held] : held_) keys.push_back(key);
    }
    for (const Key& key : keys) {
      if (!stop_.stopped()) RenewOne(key);
    }
  }
}

void ClaimKeeper::RenewOne(const Key& key) {
  std::optional<FetchClaim> claim;
  {
    absl::MutexLock lock(&mutex_);
    const auto held = held_.find(key);
    if (held == held_.end() || !calling_.insert(key).second) return;
    claim = held->second.claim;
  }
  const absl::StatusOr<bool> granted = store_.ClaimFetch(*claim);
  if (!granted.ok() || !*granted) {
    runtime::LogLimited(runtime::LogLevel::kWarning, "a claim on a fetch was not renewed", key.first,
                        {{"upstream", key.first},
                         {"digest", key.second},
                         {"error", granted.ok() ? "another upstream service has it" : granted.status().message()}});
  }
  absl::MutexLock lock(&mutex_);
  EndCall(key);
}

void ClaimKeeper::AwaitIdle(const Key& key) {
  while (calling_.contains(key)) changed_.Wait(&mutex_);
}

void ClaimKeeper::EndCall(const Key& key) {
  calling_.erase(key);
  changed_.SignalAll();
}

}  // namespace entrepot::upstream
