#include "gateway/http/connection_slots.h"

#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::gateway::http {
namespace {

using Outcome = ConnectionSlots::Outcome;
using Slot = ConnectionSlots::Slot;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ConnectionSlotsTest : public ::testing::Test {
 protected:
  // `name` of a connection that has a slot. A connection that is asked to close is in asked().
  Outcome Take(const std::string& source, const std::string& name) {
    std::unique_ptr<Slot> slot;
    const Outcome outcome = slots_->Take(source, &slot);
    if (outcome != Outcome::kTaken) return outcome;
    slot->set_close([this, name](uint64_t) { asked_.push_back(name); });
    // Later ones have waited for less time.
    slot->SetWaiting(ConnectionSlots::Clock::time_point(std::chrono::seconds(++takes_)));
    open_[name] = std::move(slot);
    return outcome;
  }
  // Takes slots for connections that have a request under way.
  void TakeBusy(const std::string& source, int number) {
    for (int i = 0; i < number; ++i) {
      const std::string name = source + "#" + std::to_string(i);
      ASSERT_EQ(Take(source, name), Outcome::kTaken);
      open_[name]->SetBusy();
    }
  }
  void MakeSlots(size_t max, size_t per_source_max) {
    slots_.emplace(ConnectionSlots::Limits{.max = max, .per_source_max = per_source_max}, &gauge_);
  }
  std::vector<std::string> TakeAsked() { return std::exchange(asked_, {}); }

  prometheus::Gauge gauge_;
  std::optional<ConnectionSlots> slots_;
  std::map<std::string, std::unique_ptr<Slot>> open_;
  std::vector<std::string> asked_;
  int takes_ = 0;
};

TEST_F(ConnectionSlotsTest, LimitsOpenConnections) {
  MakeSlots(2, 2);
  EXPECT_EQ(Take("a", "1"), Outcome::kTaken);
  EXPECT_EQ(Take("b", "2"), Outcome::kTaken);
  EXPECT_EQ(gauge_.Value(), 2);
  EXPECT_EQ(Take("c", "3"), Outcome::kWait);
  open_.erase("1");
  EXPECT_EQ(gauge_.Value(), 1);
  EXPECT_EQ(Take("c", "3"), Outcome::kTaken);
}

TEST_F(ConnectionSlotsTest, CallsOnFreeOnceAfterTakesThatWait) {
  MakeSlots(1, 1);
  int calls = 0;
  slots_->set_on_free([&calls] { ++calls; });
  ASSERT_EQ(Take("a", "1"), Outcome::kTaken);
  open_.clear();
  EXPECT_EQ(calls, 0);
  ASSERT_EQ(Take("a", "1"), Outcome::kTaken);
  ASSERT_EQ(Take("b", "2"), Outcome::kWait);
  ASSERT_EQ(Take("b", "2"), Outcome::kWait);
  open_.clear();
  EXPECT_EQ(calls, 1);
}

TEST_F(ConnectionSlotsTest, ClosesTheConnectionThatHasWaitedLongest) {
  MakeSlots(3, 3);
  for (const char* name : {"1", "2", "3"}) ASSERT_EQ(Take(name, name), Outcome::kTaken);
  open_["1"]->SetBusy();
  EXPECT_EQ(Take("c", "4"), Outcome::kWait);
  EXPECT_THAT(TakeAsked(), ElementsAre("2"));
  // It has a request by now.
  open_["2"]->KeepOpen();
  open_["2"]->SetBusy();
  EXPECT_EQ(Take("c", "4"), Outcome::kWait);
  EXPECT_THAT(TakeAsked(), ElementsAre("3"));
  open_.erase("3");
  EXPECT_EQ(Take("c", "4"), Outcome::kTaken);
}

TEST_F(ConnectionSlotsTest, ClosesThoseOfTheSourceWithTheMostFirst) {
  MakeSlots(4, 4);
  ASSERT_EQ(Take("a", "a1"), Outcome::kTaken);
  ASSERT_EQ(Take("b", "b1"), Outcome::kTaken);
  ASSERT_EQ(Take("b", "b2"), Outcome::kTaken);
  ASSERT_EQ(Take("b", "b3"), Outcome::kTaken);
  EXPECT_EQ(Take("c", "c1"), Outcome::kWait);
  EXPECT_THAT(TakeAsked(), ElementsAre("b1"));
}

TEST_F(ConnectionSlotsTest, NeverClosesAConnectionWithARequest) {
  MakeSlots(2, 2);
  TakeBusy("a", 2);
  EXPECT_EQ(Take("b", "1"), Outcome::kWait);
  EXPECT_THAT(TakeAsked(), IsEmpty());
}

TEST_F(ConnectionSlotsTest, ASourceMayHaveMoreThanItsShareWhileThereIsRoom) {
  MakeSlots(16, 4);
  TakeBusy("a", 14);
  // An eighth is left.
  EXPECT_EQ(Take("a", "more"), Outcome::kRefused);
  EXPECT_EQ(Take("b", "1"), Outcome::kTaken);
  EXPECT_EQ(Take("b", "2"), Outcome::kTaken);
  EXPECT_EQ(Take("c", "1"), Outcome::kWait);
  open_.erase("a#0");
  EXPECT_EQ(Take("a", "more"), Outcome::kRefused);
  EXPECT_EQ(Take("c", "1"), Outcome::kTaken);
}

TEST_F(ConnectionSlotsTest, ASourceThatUsedUpItsShareExchangesItsOwnWaitingConnections) {
  MakeSlots(16, 4);
  ASSERT_EQ(Take("b", "b1"), Outcome::kTaken);
  TakeBusy("a", 12);
  ASSERT_EQ(Take("a", "idle"), Outcome::kTaken);
  EXPECT_EQ(Take("a", "new"), Outcome::kWait);
  EXPECT_THAT(TakeAsked(), ElementsAre("idle"));
  EXPECT_EQ(Take("a", "new"), Outcome::kWait);
  EXPECT_THAT(TakeAsked(), IsEmpty());
  open_.erase("idle");
  EXPECT_EQ(Take("a", "new"), Outcome::kTaken);
}

TEST_F(ConnectionSlotsTest, TheEmptySourceHasNoShare) {
  MakeSlots(16, 1);
  for (int i = 0; i < 14; ++i) ASSERT_EQ(Take("", std::to_string(i)), Outcome::kTaken);
  ASSERT_EQ(Take("b", "b1"), Outcome::kTaken);
  ASSERT_EQ(Take("b", "b2"), Outcome::kWait);
  EXPECT_THAT(TakeAsked(), ElementsAre("b1"));
  EXPECT_EQ(Take("", "more"), Outcome::kTaken);
}

TEST_F(ConnectionSlotsTest, ClosesSeveralAtOnceIfThereAreMany) {
  MakeSlots(128, 128);
  for (int i = 0; i < 128; ++i) ASSERT_EQ(Take("a", std::to_string(i)), Outcome::kTaken);
  EXPECT_EQ(Take("b", "1"), Outcome::kWait);
  EXPECT_THAT(TakeAsked(), ElementsAre("0", "1"));
}

TEST_F(ConnectionSlotsTest, MakesRoomForOtherThings) {
  MakeSlots(4, 4);
  ASSERT_EQ(Take("a", "1"), Outcome::kTaken);
  ASSERT_EQ(Take("a", "2"), Outcome::kTaken);
  slots_->MakeRoom();
  EXPECT_THAT(TakeAsked(), ElementsAre("1"));
}

TEST_F(ConnectionSlotsTest, WaitsUntilNoneIsOpenAndNoneWillCome) {
  MakeSlots(1, 1);
  EXPECT_FALSE(slots_->WaitUntilNone(Deadline::Passed()));
  slots_->CloseEntrance();
  EXPECT_TRUE(slots_->WaitUntilNone(Deadline::Passed()));
  ASSERT_EQ(Take("a", "1"), Outcome::kTaken);
  EXPECT_FALSE(slots_->WaitUntilNone(Deadline::Passed()));
  std::thread other([this] { open_.clear(); });
  EXPECT_TRUE(slots_->WaitUntilNone(Deadline::After(absl::InfiniteDuration())));
  other.join();
}

}  // namespace
}  // namespace entrepot::gateway::http
