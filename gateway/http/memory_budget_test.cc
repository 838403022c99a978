#include "gateway/http/memory_budget.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway::http {
namespace {

using Reservation = MemoryBudget::Reservation;
using testing::HasSubstr;

constexpr uint64_t kKib = 1024;

// A budget of 400 KiB, of which one client may have 100 KiB.
class MemoryBudgetTest : public testing::Test {
 protected:
  MemoryBudgetTest() : registry_(std::make_shared<prometheus::Registry>()), budget_(400 * kKib, registry_) {}

  double Metric(const std::string& name, const std::string& reason = "") {
    for (const auto& family : registry_->Collect()) {
      if (family.name != name) continue;
      for (const auto& metric : family.metric) {
        if (reason.empty()) return metric.gauge.value;
        if (metric.label.front().value == reason) return metric.counter.value;
      }
    }
    return -1;
  }
  double Used() { return Metric("entrepot_http_body_memory_bytes"); }
  double Refused(const std::string& reason) { return Metric("entrepot_http_body_memory_refused_total", reason); }

  std::shared_ptr<prometheus::Registry> registry_;
  MemoryBudget budget_;
};

TEST_F(MemoryBudgetTest, CountsUntilTheReservationEnds) {
  {
    Reservation first(&budget_, "192.0.2.1");
    EXPECT_OK(first.GrowTo(20 * kKib));
    EXPECT_OK(first.GrowTo(30 * kKib));
    EXPECT_OK(first.GrowTo(25 * kKib));
    EXPECT_EQ(Used(), 30 * kKib);
    Reservation second(&budget_, "192.0.2.1");
    EXPECT_OK(second.GrowTo(40 * kKib));
    EXPECT_EQ(Used(), 70 * kKib);
    const Reservation moved = std::move(first);
    EXPECT_EQ(Used(), 70 * kKib);
  }
  EXPECT_EQ(Used(), 0);
}

TEST_F(MemoryBudgetTest, DoesNotCountSmallBodies) {
  std::vector<Reservation> many;
  for (int i = 0; i < 1000; ++i) {
    many.emplace_back(&budget_, "192.0.2.1");
    EXPECT_OK(many.back().GrowTo(MemoryBudget::kUncountedBytes));
  }
  EXPECT_EQ(Used(), 0);
}

TEST_F(MemoryBudgetTest, GivesOneClientAQuarter) {
  Reservation first(&budget_, "2001:db8::1");
  EXPECT_OK(first.GrowTo(100 * kKib));
  Reservation second(&budget_, "2001:db8::2");  // Of the same /64.
  const absl::Status refused = second.GrowTo(17 * kKib);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("102400 bytes, a quarter of limits.body_memory_bytes_max"));
  EXPECT_EQ(Used(), 100 * kKib) << "a refusal takes nothing";
  Reservation other(&budget_, "2001:db8:0:1::1");
  EXPECT_OK(other.GrowTo(100 * kKib));
  first = Reservation();
  EXPECT_OK(second.GrowTo(17 * kKib));
  EXPECT_EQ(Refused("client"), 1);
  EXPECT_EQ(Refused("sum"), 0);
}

TEST_F(MemoryBudgetTest, RefusesBeyondTheSum) {
  std::vector<Reservation> clients;
  for (const char* address : {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"}) {
    clients.emplace_back(&budget_, address);
    EXPECT_OK(clients.back().GrowTo(100 * kKib));
  }
  Reservation late(&budget_, "192.0.2.5");
  const absl::Status refused = late.GrowTo(17 * kKib);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("409600 bytes, limits.body_memory_bytes_max"));
  EXPECT_EQ(Refused("sum"), 1);
  clients.pop_back();
  EXPECT_OK(late.GrowTo(17 * kKib));
}

TEST_F(MemoryBudgetTest, GivesOneAccountHalf) {
  std::vector<Reservation> clients;
  for (const char* address : {"192.0.2.1", "192.0.2.2"}) {
    clients.emplace_back(&budget_, address, "ci");
    EXPECT_OK(clients.back().GrowTo(50 * kKib));
    EXPECT_OK(clients.back().GrowTo(100 * kKib));
  }
  Reservation late(&budget_, "192.0.2.3", "ci");
  const absl::Status refused = late.GrowTo(17 * kKib);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("204800 bytes, half of limits.body_memory_bytes_max"));
  EXPECT_EQ(Refused("account"), 1);
  EXPECT_EQ(Used(), 200 * kKib) << "a refusal takes nothing";
  Reservation other(&budget_, "192.0.2.3", "ada");
  EXPECT_OK(other.GrowTo(50 * kKib));
  Reservation anonymous(&budget_, "192.0.2.3");
  EXPECT_OK(anonymous.GrowTo(50 * kKib));
  clients.pop_back();
  EXPECT_OK(Reservation(&budget_, "192.0.2.4", "ci").GrowTo(100 * kKib));
}

TEST_F(MemoryBudgetTest, BuffersTakeNothingOfTheAccountsShare) {
  Reservation buffers(&budget_, "192.0.2.1", "ci");
  EXPECT_TRUE(buffers.TryGrowTo(50 * kKib));
  Reservation first(&budget_, "192.0.2.2", "ci");
  EXPECT_OK(first.GrowTo(100 * kKib));
  Reservation second(&budget_, "192.0.2.3", "ci");
  EXPECT_OK(second.GrowTo(100 * kKib));
}

TEST_F(MemoryBudgetTest, LeavesHalfToBodiesThatNeedIt) {
  Reservation buffers(&budget_, "192.0.2.1");
  EXPECT_TRUE(buffers.TryGrowTo(50 * kKib));
  Reservation more(&budget_, "192.0.2.1");
  EXPECT_FALSE(more.TryGrowTo(17 * kKib));
  EXPECT_EQ(Refused("client"), 0);
  EXPECT_OK(more.GrowTo(50 * kKib));
  EXPECT_EQ(Used(), 100 * kKib);
}

TEST_F(MemoryBudgetTest, GrantsEverythingWithoutABudget) {
  Reservation reservation(nullptr, "192.0.2.1");
  EXPECT_OK(reservation.GrowTo(uint64_t{1} << 40));
  EXPECT_TRUE(reservation.TryGrowTo(uint64_t{1} << 40));
}

}  // namespace
}  // namespace entrepot::gateway::http
