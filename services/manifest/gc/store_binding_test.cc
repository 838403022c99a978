#include "services/manifest/gc/store_binding.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/manifest/testing/collector_test_fixture.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using absl::StatusCode;
using storage::v1::StoreBindingRecord;
using testing::HasSubstr;

// Records and objects, of which the test replaces one by an older or another copy.
class StoreBindingTest : public CollectorTest {
 protected:
  // What another process would find.
  absl::Status Check() { return StoreBinding(&kv_, &objects_, registry_).Check(); }
  absl::Status Advance() { return StoreBinding(&kv_, &objects_, nullptr).Advance(); }
  StoreBindingRecord Binding() {
    return kv::ReadRecord<StoreBindingRecord>(kv_, keys::StoreBinding()).value().value_or(StoreBindingRecord());
  }
  void ExpectMismatch(const std::string& what) {
    const absl::Status status = Check();
    EXPECT_THAT(status, StatusIs(StatusCode::kFailedPrecondition));
    EXPECT_THAT(std::string(status.message()), HasSubstr(what));
    EXPECT_THAT(std::string(status.message()), HasSubstr("entrepotctl gc accept stores"));
    EXPECT_EQ(Metric("entrepot_gc_store_mismatch"), 1);
  }
  void ExpectAcceptHelps() {
    StoreBinding binding(&kv_, &objects_, nullptr);
    EXPECT_OK(binding.Accept());
    EXPECT_OK(Check());
    EXPECT_EQ(Metric("entrepot_gc_store_mismatch"), 0);
  }
  void DeleteBinding() {
    EXPECT_OK(kv_.Transact({}, [](kv::KvTransaction& transaction) {
      transaction.Delete(keys::StoreBinding());
      return absl::OkStatus();
    }));
  }
};

TEST_F(StoreBindingTest, BindsNewRecordsToANewStore) {
  EXPECT_OK(Check());
  EXPECT_THAT(objects_.ReadOwner(), IsOkAndHolds(StoreOwner{Binding().catalog_id(), 1}));
  EXPECT_OK(Check());
  EXPECT_EQ(Binding().generation(), 1u);
}

TEST_F(StoreBindingTest, BindsWhatAnEarlierVersionWrote) {
  Pushed("blob");
  EXPECT_OK(Check());
  EXPECT_FALSE(Binding().catalog_id().empty());
}

TEST_F(StoreBindingTest, GoesOnWhereverAProcessDied) {
  Pushed("blob");
  const auto fail_writes = [&](bool fail) {
    objects_.SetFault([fail](absl::string_view operation, const std::string&) {
      return fail && operation == "WriteOwner" ? absl::UnavailableError("dead") : absl::OkStatus();
    });
  };
  fail_writes(true);
  EXPECT_OK(Check()) << "a full disk must not keep garbage from being deleted";
  EXPECT_THAT(Advance(), StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(Binding().generation(), 1u);
  fail_writes(false);
  EXPECT_OK(Check());
  for (int i = 0; i < 3; ++i) {
    fail_writes(true);
    EXPECT_THAT(Advance(), StatusIs(StatusCode::kUnavailable));
    EXPECT_OK(Check());
  }
  EXPECT_EQ(Binding().generation(), 2u) << "not raised again before the store has it";
  fail_writes(false);
  EXPECT_OK(Advance());
  EXPECT_EQ(objects_.ReadOwner()->generation, 2u);
  EXPECT_OK(Advance());
  EXPECT_EQ(objects_.ReadOwner()->generation, 3u);
}

TEST_F(StoreBindingTest, NoticesAnEmptyDatabaseBesideObjects) {
  const Blob blob = objects_.Upload("of a catalog that is not here");
  ExpectMismatch("there are objects, but the records name none");
  ASSERT_OK(objects_.WriteOwner({.catalog_id = "0123", .generation = 5}));
  ExpectMismatch("the objects are those of catalog 0123, and the records are new");
  ExpectAcceptHelps();
  objects_.Lose(blob.storage_key);
}

TEST_F(StoreBindingTest, BindsNewRecordsToUploads) {
  objects_.Upload("sealed before the manifest service was there", MemoryBlobStorage::Session::kSealed);
  objects_.Upload("and never committed", MemoryBlobStorage::Session::kAbandoned);
  EXPECT_OK(Check());
  EXPECT_THAT(objects_.ReadOwner(), IsOkAndHolds(StoreOwner{Binding().catalog_id(), 1}));
  DeleteBinding();
  ExpectMismatch("the records are new");
}

TEST_F(StoreBindingTest, NoticesOneObjectAmongUploads) {
  objects_.Upload("sealed", MemoryBlobStorage::Session::kSealed);
  const Blob blob = objects_.Upload("of a catalog that is not here");
  ExpectMismatch("there are objects, but the records name none");
  // The clock says nothing here: it may be wrong if the volumes are.
  clock_.Advance(-absl::Hours(1));
  ExpectMismatch("there are objects, but the records name none");
  EXPECT_THAT(objects_.ReadOwner(), IsOkAndHolds(StoreOwner()));
  objects_.Lose(blob.storage_key);
  EXPECT_OK(Check());
}

TEST_F(StoreBindingTest, AFirstCommitMeanwhileIsNoMismatch) {
  const Blob blob = objects_.Upload("blob", MemoryBlobStorage::Session::kSealed);
  objects_.SetFault([&](absl::string_view operation, const std::string&) {
    if (operation != "ListUnclaimed") return absl::OkStatus();
    EXPECT_OK(catalog_->blobs().Commit(kAnonymous, Repo("a"), blob));
    objects_.SetSession(blob.storage_key, MemoryBlobStorage::Session::kNone);
    return absl::OkStatus();
  });
  EXPECT_OK(Check());
  objects_.SetFault(nullptr);
  EXPECT_THAT(objects_.ReadOwner(), IsOkAndHolds(StoreOwner{Binding().catalog_id(), 1}));
}

TEST_F(StoreBindingTest, NoticesAnOlderDatabase) {
  Pushed("blob");
  ASSERT_OK(Advance());
  const StoreBindingRecord old = Binding();
  ASSERT_OK(Advance());
  EXPECT_OK(Check());
  Write(keys::StoreBinding(), old);
  ExpectMismatch("the records are an older copy");
  EXPECT_THAT(Advance(), StatusIs(StatusCode::kFailedPrecondition));
  ExpectAcceptHelps();
}

TEST_F(StoreBindingTest, NoticesAnOlderStore) {
  Pushed("blob");
  ASSERT_OK(Advance());
  const StoreOwner old = objects_.ReadOwner().value();
  ASSERT_OK(Advance());
  ASSERT_OK(Advance());
  ASSERT_OK(objects_.WriteOwner(old));
  ExpectMismatch("the objects are an older copy");
  ExpectAcceptHelps();
}

TEST_F(StoreBindingTest, AProcessThatStoodStillBeforeItWroteRepairsTheStore) {
  Pushed("blob");
  ASSERT_OK(Advance());
  // Others raise the generation while the first one stands still between its two writes.
  int others = 0;
  objects_.SetFault([&](absl::string_view operation, const std::string&) {
    if (operation == "WriteOwner" && others++ == 0) {
      for (int i = 0; i < 5; ++i) EXPECT_OK(Advance());
    }
    return absl::OkStatus();
  });
  EXPECT_OK(Advance());
  objects_.SetFault(nullptr);
  EXPECT_OK(Check());
  EXPECT_EQ(objects_.ReadOwner()->generation, Binding().generation());
}

TEST_F(StoreBindingTest, NoticesAnotherStore) {
  Pushed("blob");
  ASSERT_OK(Check());
  ASSERT_OK(objects_.WriteOwner({.catalog_id = "0123", .generation = 1}));
  ExpectMismatch("the objects are those of catalog 0123");
  ExpectAcceptHelps();
}

TEST_F(StoreBindingTest, NoticesAnEmptyStore) {
  const Blob blob = Pushed("blob");
  ASSERT_OK(Check());
  ASSERT_OK(objects_.WriteOwner(StoreOwner()));
  objects_.Lose(blob.storage_key);
  ExpectMismatch("the records name objects, but there are none");
  objects_.Put(blob.storage_key, "blob");
  EXPECT_OK(Check());
}

TEST_F(StoreBindingTest, BindsARestoredStoreToItsRecords) {
  Pushed("blob");
  ASSERT_OK(Advance());
  const std::string id = Binding().catalog_id();
  // A backup contains the record, and not the owner of the store.
  ASSERT_OK(objects_.WriteOwner(StoreOwner()));
  EXPECT_OK(Check());
  EXPECT_THAT(objects_.ReadOwner(), IsOkAndHolds(StoreOwner{id, 2}));
}

TEST_F(StoreBindingTest, AServiceThatDoesNotAnswerIsNoMismatch) {
  ASSERT_OK(Check());
  objects_.SetFault([](absl::string_view, const std::string&) { return absl::UnavailableError("away"); });
  EXPECT_THAT(Check(), StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(Metric("entrepot_gc_store_mismatch"), 0);
  objects_.SetFault(nullptr);
}

TEST_F(StoreBindingTest, AcceptMakesEveryOtherCopyForeign) {
  Pushed("blob");
  ASSERT_OK(Advance());
  const StoreBindingRecord before = Binding();
  ASSERT_OK(StoreBinding(&kv_, &objects_, nullptr).Accept());
  EXPECT_NE(Binding().catalog_id(), before.catalog_id());
  Write(keys::StoreBinding(), before);
  ExpectMismatch("the objects are those of catalog");
  DeleteBinding();
  ExpectMismatch("the records are new");
}

}  // namespace
}  // namespace entrepot::manifest
