#include "gateway/http/memory_budget.h"

#include "absl/strings/str_cat.h"
#include "services/core/client_network.h"

namespace entrepot::gateway::http {
namespace {

using Shares = std::map<std::string, uint64_t, std::less<>>;

uint64_t UsedBy(const Shares& shares, absl::string_view name) {
  const auto found = shares.find(name);
  return found == shares.end() ? 0 : found->second;
}

// Sets `*entry`, if it is null, to the entry of `name`.
void Add(uint64_t bytes, absl::string_view name, Shares::value_type** entry, Shares* shares) {
  if (*entry == nullptr) *entry = &*shares->try_emplace(std::string(name)).first;
  (*entry)->second += bytes;
}

void Remove(uint64_t bytes, Shares::value_type* entry, Shares* shares) {
  entry->second -= bytes;
  if (entry->second == 0) shares->erase(shares->find(entry->first));
}

prometheus::Family<prometheus::Counter>& Refused(prometheus::Registry& registry) {
  return prometheus::BuildCounter()
      .Name("entrepot_http_body_memory_refused_total")
      .Help("Requests refused because the memory for bodies under way was used up, in sum or by their client")
      .Register(registry);
}

}  // namespace

MemoryBudget::Reservation::Reservation(Reservation&& other) noexcept { Swap(other); }

MemoryBudget::Reservation& MemoryBudget::Reservation::operator=(Reservation&& other) noexcept {
  Swap(other);
  return *this;
}

MemoryBudget::Reservation::~Reservation() {
  if (client_ != nullptr) budget_->Return(*this);
}

absl::Status MemoryBudget::Reservation::GrowTo(uint64_t bytes) {
  if (budget_ == nullptr || bytes <= kUncountedBytes || bytes <= bytes_) return absl::OkStatus();
  const Outcome outcome = budget_->Grow(this, bytes, budget_->bytes_max_, account_);
  return outcome == Outcome::kDone ? absl::OkStatus() : budget_->Refuse(outcome);
}

bool MemoryBudget::Reservation::TryGrowTo(uint64_t bytes) {
  if (budget_ == nullptr || bytes <= kUncountedBytes || bytes <= bytes_) return true;
  return budget_->Grow(this, bytes, budget_->bytes_max_ / 2, "") == Outcome::kDone;
}

void MemoryBudget::Reservation::Swap(Reservation& other) {
  std::swap(budget_, other.budget_);
  std::swap(address_, other.address_);
  std::swap(account_, other.account_);
  std::swap(client_, other.client_);
  std::swap(by_account_, other.by_account_);
  std::swap(bytes_, other.bytes_);
  std::swap(account_bytes_, other.account_bytes_);
}

MemoryBudget::MemoryBudget(uint64_t bytes_max, const std::shared_ptr<prometheus::Registry>& registry)
    : bytes_max_(bytes_max),
      gauge_(prometheus::BuildGauge()
                 .Name("entrepot_http_body_memory_bytes")
                 .Help("Memory of request and response bodies under way that are kept whole")
                 .Register(*registry)
                 .Add({})),
      refused_for_sum_(Refused(*registry).Add({{"reason", "sum"}})),
      refused_for_client_(Refused(*registry).Add({{"reason", "client"}})),
      refused_for_account_(Refused(*registry).Add({{"reason", "account"}})) {}

MemoryBudget::Outcome MemoryBudget::Grow(Reservation* reservation, uint64_t bytes, uint64_t bytes_max,
                                         absl::string_view account) {
  const uint64_t more = bytes - reservation->bytes_;
  const uint64_t more_of_account = bytes - reservation->account_bytes_;
  const std::string client = ClientNetwork(reservation->address_);
  absl::MutexLock lock(&mutex_);
  if (!account.empty() && UsedBy(used_by_account_, account) + more_of_account > bytes_max / kAccountShare) {
    return Outcome::kNoneLeftForAccount;
  }
  if (used_ + more > bytes_max) return Outcome::kNoneLeft;
  if (UsedBy(used_by_client_, client) + more > bytes_max / kShare) return Outcome::kNoneLeftForClient;
  if (!account.empty()) {
    Add(more_of_account, account, &reservation->by_account_, &used_by_account_);
    reservation->account_bytes_ = bytes;
  }
  Add(more, client, &reservation->client_, &used_by_client_);
  reservation->bytes_ = bytes;
  used_ += more;
  gauge_.Set(static_cast<double>(used_));
  return Outcome::kDone;
}

absl::Status MemoryBudget::Refuse(Outcome outcome) {
  if (outcome == Outcome::kNoneLeft) {
    refused_for_sum_.Increment();
    return absl::ResourceExhaustedError(
        absl::StrCat("the bodies of requests under way take all the memory that the registry has for them (",
                     bytes_max_, " bytes, limits.body_memory_bytes_max); try again"));
  }
  if (outcome == Outcome::kNoneLeftForAccount) {
    refused_for_account_.Increment();
    return absl::ResourceExhaustedError(
        absl::StrCat("the bodies of this account's requests under way take all the memory that one account has (",
                     bytes_max_ / kAccountShare, " bytes, half of limits.body_memory_bytes_max); try again"));
  }
  refused_for_client_.Increment();
  return absl::ResourceExhaustedError(
      absl::StrCat("the bodies of this client's requests under way take all the memory that one client address has (",
                   bytes_max_ / kShare, " bytes, a quarter of limits.body_memory_bytes_max); try again"));
}

void MemoryBudget::Return(const Reservation& reservation) {
  absl::MutexLock lock(&mutex_);
  used_ -= reservation.bytes_;
  gauge_.Set(static_cast<double>(used_));
  Remove(reservation.bytes_, reservation.client_, &used_by_client_);
  if (reservation.by_account_ != nullptr) {
    Remove(reservation.account_bytes_, reservation.by_account_, &used_by_account_);
  }
}

}  // namespace entrepot::gateway::http
