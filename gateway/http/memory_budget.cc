#include "gateway/http/memory_budget.h"

#include "absl/strings/str_cat.h"
#include "services/core/client_network.h"

namespace entrepot::gateway::http {
namespace {

prometheus::Family<prometheus::Counter>& Refused(prometheus::Registry& registry) {
  return prometheus::BuildCounter()
      .Name("entrepot_http_body_memory_refused_total")
      .Help("Requests refused because the memory for bodies under way was used up, in sum or by their client")
      .Register(registry);
}

}  // namespace

MemoryBudget::Reservation::~Reservation() {
  if (client_ != nullptr) budget_->Return(*this);
}

absl::Status MemoryBudget::Reservation::GrowTo(uint64_t bytes) {
  if (budget_ == nullptr || bytes <= kUncountedBytes || bytes <= bytes_) return absl::OkStatus();
  const Outcome outcome = budget_->Grow(this, bytes, budget_->bytes_max_);
  return outcome == Outcome::kDone ? absl::OkStatus() : budget_->Refuse(outcome);
}

bool MemoryBudget::Reservation::TryGrowTo(uint64_t bytes) {
  if (budget_ == nullptr || bytes <= kUncountedBytes || bytes <= bytes_) return true;
  return budget_->Grow(this, bytes, budget_->bytes_max_ / 2) == Outcome::kDone;
}

void MemoryBudget::Reservation::Swap(Reservation& other) {
  std::swap(budget_, other.budget_);
  std::swap(address_, other.address_);
  std::swap(client_, other.client_);
  std::swap(bytes_, other.bytes_);
}

MemoryBudget::MemoryBudget(uint64_t bytes_max, const std::shared_ptr<prometheus::Registry>& registry)
    : bytes_max_(bytes_max),
      gauge_(prometheus::BuildGauge()
                 .Name("entrepot_http_body_memory_bytes")
                 .Help("Memory of request and response bodies under way that are kept whole")
                 .Register(*registry)
                 .Add({})),
      refused_for_sum_(Refused(*registry).Add({{"reason", "sum"}})),
      refused_for_client_(Refused(*registry).Add({{"reason", "client"}})) {}

MemoryBudget::Outcome MemoryBudget::Grow(Reservation* reservation, uint64_t bytes, uint64_t bytes_max) {
  const uint64_t more = bytes - reservation->bytes_;
  absl::MutexLock lock(&mutex_);
  if (used_ + more > bytes_max) return Outcome::kNoneLeft;
  const auto client = reservation->client_ == nullptr ? used_by_.try_emplace(ClientNetwork(reservation->address_)).first
                                                      : used_by_.find(reservation->client_->first);
  if (client->second + more > bytes_max / kShare) {
    if (client->second == 0) used_by_.erase(client);
    return Outcome::kNoneLeftForClient;
  }
  client->second += more;
  used_ += more;
  gauge_.Set(static_cast<double>(used_));
  reservation->client_ = &*client;
  reservation->bytes_ = bytes;
  return Outcome::kDone;
}

absl::Status MemoryBudget::Refuse(Outcome outcome) {
  if (outcome == Outcome::kNoneLeft) {
    refused_for_sum_.Increment();
    return absl::ResourceExhaustedError(
        absl::StrCat("the bodies of requests under way take all the memory that the registry has for them (",
                     bytes_max_, " bytes, limits.body_memory_bytes_max); try again"));
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
  reservation.client_->second -= reservation.bytes_;
  if (reservation.client_->second == 0) used_by_.erase(used_by_.find(reservation.client_->first));
}

}  // namespace entrepot::gateway::http
