#include "services/upstream/room/room_keeper.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "services/core/room_request.h"
#include "services/core/time/eventually.h"
#include "services/core/time/fake_clock.h"
#include "services/core/time/proto_time.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"
#include "services/upstream/testing/fake_cache_store.h"

namespace entrepot::upstream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kMeasure = std::numeric_limits<uint64_t>::max();

// Caches of upstreams whose bytes a test sets. An eviction frees all that is asked for, but for what is in use.
class RoomyStore final : public FakeCacheStore {
 public:
  explicit RoomyStore(const Clock* clock) : clock_(*clock) {}

  absl::StatusOr<types::v1::CacheEviction> MakeRoom(const RoomRequest& request) override {
    const absl::MutexLock lock(&mutex_);
    calls_.push_back(
        absl::StrCat(request.upstream, " ",
                     request.bytes_max == kMeasure ? "measure" : absl::StrCat("evict to ", request.bytes_max / kMiB)));
    RETURN_IF_ERROR(failure_);
    uint64_t& bytes = bytes_[request.upstream];
    types::v1::CacheEviction eviction;
    eviction.mutable_before()->set_bytes(bytes);
    const uint64_t kept = std::max(request.bytes_max, in_use_);
    if (bytes > kept) {
      eviction.set_image_count(3);
      eviction.set_freed_bytes(bytes - kept);
      *eviction.mutable_last_used_at() = ToTimestamp(clock_.Now() - absl::Hours(2));
      bytes = kept;
    }
    eviction.mutable_after()->set_bytes(bytes);
    return eviction;
  }

  void Set(const std::string& upstream, uint64_t bytes) {
    const absl::MutexLock lock(&mutex_);
    bytes_[upstream] = bytes;
  }
  void SetInUse(uint64_t bytes) {
    const absl::MutexLock lock(&mutex_);
    in_use_ = bytes;
  }
  void Fail(absl::Status failure) {
    const absl::MutexLock lock(&mutex_);
    failure_ = std::move(failure);
  }
  std::vector<std::string> TakeCalls() {
    const absl::MutexLock lock(&mutex_);
    return std::exchange(calls_, {});
  }

 private:
  const Clock& clock_;
  absl::Mutex mutex_;
  std::map<std::string, uint64_t> bytes_ ABSL_GUARDED_BY(mutex_);
  uint64_t in_use_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> calls_ ABSL_GUARDED_BY(mutex_);
};

class RoomKeeperTest : public testing::Test {
 protected:
  void SetUp() override {
    Write("[{name: a.example, bytes_max: 100MiB}]");
    ASSERT_OK_AND_ASSIGN(file_, UpstreamsFile::Open(path_, registry_, absl::ZeroDuration()));
    keeper_ = Make(absl::ZeroDuration());
  }

  std::unique_ptr<RoomKeeper> Make(absl::Duration poll_interval) {
    return std::make_unique<RoomKeeper>(
        RoomKeeper::Parts{.upstreams = file_.get(),
                          .store = &store_,
                          .clock = &clock_,
                          .bytes_fetched = [this](absl::string_view) { return fetched_; },
                          .registry = registry_},
        RoomKeeper::Options{.poll_interval = poll_interval});
  }
  void Write(absl::string_view upstreams) {
    std::ofstream(path_) << "upstreams: " << upstreams << "\n";
    if (file_ != nullptr) {
      ASSERT_OK(file_->ReloadIfChanged());
    }
  }
  std::vector<std::string> Advance(absl::Duration by = absl::ZeroDuration()) {
    clock_.Advance(by);
    keeper_->Advance();
    return store_.TakeCalls();
  }
  std::string Metrics() const { return prometheus::TextSerializer().Serialize(registry_->Collect()); }

  const kv::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/upstreams.yaml";
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  FakeClock clock_;
  RoomyStore store_{&clock_};
  uint64_t fetched_ = 0;
  std::unique_ptr<UpstreamsFile> file_;
  std::unique_ptr<RoomKeeper> keeper_;
};

TEST_F(RoomKeeperTest, MeasuresEachUpstreamAtTheStartAndAtEachInterval) {
  Write("[{name: a.example, bytes_max: 100MiB}, {name: b.example}]");
  store_.Set("a.example", 40 * kMiB);
  store_.Set("b.example", 7);
  EXPECT_EQ(keeper_->Measured("a.example"), std::nullopt);
  EXPECT_THAT(Advance(), ElementsAre("a.example measure", "b.example measure"));
  EXPECT_EQ(keeper_->Measured("a.example")->bytes(), 40 * kMiB);
  EXPECT_EQ(keeper_->Measured("b.example")->bytes(), 7u);
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_upstream_room_bytes{upstream=\"b.example\"} 7"));
  EXPECT_THAT(Advance(absl::Minutes(9)), IsEmpty());
  store_.Set("b.example", 8);
  EXPECT_THAT(Advance(absl::Minutes(1)), ElementsAre("a.example measure", "b.example measure"));
  EXPECT_EQ(keeper_->Measured("b.example")->bytes(), 8u);
}

TEST_F(RoomKeeperTest, EvictsDownToNineTenthsOfTheCap) {
  store_.Set("a.example", 100 * kMiB);
  EXPECT_THAT(Advance(), ElementsAre("a.example measure"));
  store_.Set("a.example", 100 * kMiB + 1);
  EXPECT_THAT(Advance(absl::Minutes(10)), ElementsAre("a.example measure", "a.example evict to 90"));
  EXPECT_EQ(keeper_->Measured("a.example")->bytes(), 90 * kMiB);
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_upstream_evicted_images_total{upstream=\"a.example\"} 3"));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_upstream_evicted_idle_seconds{upstream=\"a.example\"} 7200"));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_upstream_room_max_bytes{upstream=\"a.example\"} 104857600"));
}

TEST_F(RoomKeeperTest, MeasuresEarlierIfWhatWasFetchedMayNotFit) {
  store_.Set("a.example", 60 * kMiB);
  Advance();
  fetched_ = 40 * kMiB;
  EXPECT_THAT(Advance(absl::Minutes(1)), IsEmpty());
  fetched_ = 40 * kMiB + 1;
  store_.Set("a.example", 101 * kMiB);
  EXPECT_THAT(Advance(), ElementsAre("a.example measure", "a.example evict to 90"));
  // The counter begins anew, as when the upstream's entry has changed.
  fetched_ = 9 * kMiB;
  EXPECT_THAT(Advance(absl::Minutes(1)), IsEmpty());
  fetched_ = 11 * kMiB;
  EXPECT_THAT(Advance(), ElementsAre("a.example measure"));
}

TEST_F(RoomKeeperTest, DoesNotMeasureMoreOftenThanOnceAMinute) {
  store_.Set("a.example", 99 * kMiB);
  Advance();
  fetched_ = 50 * kMiB;
  EXPECT_THAT(Advance(absl::Seconds(59)), IsEmpty());
  EXPECT_THAT(Advance(absl::Seconds(1)), ElementsAre("a.example measure"));
}

TEST_F(RoomKeeperTest, DoesNotRepeatAnEvictionThatCannotFreeEnoughUntilMoreWasFetched) {
  store_.SetInUse(120 * kMiB);
  store_.Set("a.example", 130 * kMiB);
  testing::internal::CaptureStderr();
  EXPECT_THAT(Advance(), ElementsAre("a.example measure", "a.example evict to 90"));
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("the caches of an upstream need more than bytes_max after an eviction"));
  fetched_ = 4 * kMiB;
  EXPECT_THAT(Advance(absl::Minutes(1)), IsEmpty());
  fetched_ = 6 * kMiB;
  EXPECT_THAT(Advance(absl::Minutes(1)), ElementsAre("a.example measure", "a.example evict to 90"));
  EXPECT_THAT(Advance(absl::Minutes(10)), ElementsAre("a.example measure", "a.example evict to 90"));
}

TEST_F(RoomKeeperTest, ANewCapCountsAtOnce) {
  store_.Set("a.example", 60 * kMiB);
  Advance();
  Write("[{name: a.example, bytes_max: 50MiB}]");
  EXPECT_THAT(Advance(), ElementsAre("a.example measure", "a.example evict to 45"));
  store_.Set("a.example", 60 * kMiB);
  Write("[{name: a.example}]");
  EXPECT_THAT(Advance(), ElementsAre("a.example measure"));
  EXPECT_THAT(Metrics(), Not(HasSubstr("entrepot_upstream_room_max_bytes{")));
}

TEST_F(RoomKeeperTest, AMeasurementThatFailsIsRepeatedAtTheInterval) {
  store_.Fail(absl::ResourceExhaustedError("too many manifests"));
  EXPECT_THAT(Advance(), ElementsAre("a.example measure"));
  fetched_ = 200 * kMiB;
  EXPECT_THAT(Advance(absl::Minutes(9)), IsEmpty());
  EXPECT_THAT(Advance(absl::Minutes(1)), ElementsAre("a.example measure"));
}

TEST_F(RoomKeeperTest, TriesAgainAMinuteAfterNoAnswer) {
  store_.Fail(absl::UnavailableError("no manifest service"));
  testing::internal::CaptureStderr();
  EXPECT_THAT(Advance(), ElementsAre("a.example measure"));
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("the room of an upstream's caches could not be measured or freed"));
  EXPECT_THAT(log, HasSubstr("no manifest service"));
  EXPECT_EQ(keeper_->Measured("a.example"), std::nullopt);
  store_.Fail(absl::OkStatus());
  store_.Set("a.example", 5);
  EXPECT_THAT(Advance(absl::Seconds(59)), IsEmpty());
  EXPECT_THAT(Advance(absl::Seconds(1)), ElementsAre("a.example measure"));
  EXPECT_EQ(keeper_->Measured("a.example")->bytes(), 5u);
}

TEST_F(RoomKeeperTest, ForgetsAnUpstreamThatIsNotInTheFileAnyMore) {
  store_.Set("a.example", 5);
  Advance();
  Write("[{name: b.example}]");
  EXPECT_THAT(Advance(), ElementsAre("b.example measure"));
  EXPECT_EQ(keeper_->Measured("a.example"), std::nullopt);
  EXPECT_THAT(Metrics(), Not(HasSubstr("entrepot_upstream_room_bytes{upstream=\"a.example\"}")));
}

TEST_F(RoomKeeperTest, WorksOnAThreadOfItsOwn) {
  store_.Set("a.example", 101 * kMiB);
  const std::unique_ptr<RoomKeeper> keeper = Make(absl::Milliseconds(1));
  EXPECT_TRUE(Eventually([&] {
    const auto room = keeper->Measured("a.example");
    return room.has_value() && room->bytes() < 100 * kMiB;
  }));
}

}  // namespace
}  // namespace entrepot::upstream
