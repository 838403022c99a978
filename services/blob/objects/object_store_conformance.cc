#include "services/blob/objects/object_store_conformance.h"

#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "services/blob/io/file_io.h"
#include "services/blob/io/system_calls.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ObjectStoreConformance);

std::string Contents(const OpenObject& object) {
  if (const auto* bytes = std::get_if<std::string>(&object.content)) return *bytes;
  std::string bytes(object.size_bytes, '\0');
  if (const auto* reader = std::get_if<std::unique_ptr<ObjectReader>>(&object.content)) {
    if (bytes.empty()) return bytes;
    EXPECT_THAT((*reader)->ReadAt(bytes.data(), bytes.size(), 0), IsOkAndHolds(bytes.size()));
    return bytes;
  }
  absl::StatusOr<size_t> size =
      PReadFully(*SystemCalls::Default(), std::get<OwnedFd>(object.content).get(), bytes.data(), bytes.size(), 0);
  EXPECT_THAT(size, IsOkAndHolds(bytes.size()));
  return bytes;
}

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string ReadAll(StagedUpload& staged) {
  std::string bytes;
  EXPECT_OK(staged.Read([&](absl::string_view piece) { bytes.append(piece.data(), piece.size()); }));
  return bytes;
}

TEST_P(ObjectStoreConformance, APublishedUploadReadsBack) {
  const UploadId id = UploadId::Random();
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_->OpenStaged(id, 0, ""));
  ASSERT_OK(staged->Append("warehouse"));
  ASSERT_OK(staged->Append(" of goods"));
  EXPECT_EQ(staged->size_bytes(), 18);
  EXPECT_EQ(ReadAll(*staged), "warehouse of goods");
  ASSERT_OK(store_->Publish(id, std::move(staged)));

  ASSERT_OK_AND_ASSIGN(const OpenObject object, store_->Open(StagingObjectStore::KeyOf(id)));
  EXPECT_EQ(object.size_bytes, 18);
  EXPECT_EQ(Contents(object), "warehouse of goods");
}

TEST_P(ObjectStoreConformance, AnEmptyObjectIsAnObject) {
  const UploadId id = UploadId::Random();
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_->OpenStaged(id, 0, ""));
  ASSERT_OK(store_->Publish(id, std::move(staged)));
  ASSERT_OK_AND_ASSIGN(const OpenObject object, store_->Open(StagingObjectStore::KeyOf(id)));
  EXPECT_EQ(object.size_bytes, 0);
}

TEST_P(ObjectStoreConformance, AnUnpublishedUploadIsNotAnObject) {
  const UploadId id = UploadId::Random();
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_->OpenStaged(id, 0, ""));
  ASSERT_OK(staged->Append("goods"));
  EXPECT_THAT(store_->Open(StagingObjectStore::KeyOf(id)), IsOciError(OciErrorCode::kBlobUnknown));
}

TEST_P(ObjectStoreConformance, ContinuesAtTheRequestedSize) {
  const UploadId id = UploadId::Random();
  std::string state;
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_->OpenStaged(id, 0, ""));
    ASSERT_OK(staged->Append("0123"));
    ASSERT_OK_AND_ASSIGN(state, staged->Save());
    ASSERT_OK(staged->Append("456789"));
    // Not recorded.
    ASSERT_OK(staged->Save());
  }
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_->OpenStaged(id, 4, state));
  EXPECT_EQ(ReadAll(*staged), "0123");
  ASSERT_OK(staged->Append("x"));
  ASSERT_OK(store_->Publish(id, std::move(staged)));
  ASSERT_OK_AND_ASSIGN(const OpenObject object, store_->Open(StagingObjectStore::KeyOf(id)));
  EXPECT_EQ(Contents(object), "0123x");
}

TEST_P(ObjectStoreConformance, FewerStagedBytesThanRequestedAreNotFound) {
  const UploadId id = UploadId::Random();
  EXPECT_THAT(store_->OpenStaged(id, 1, ""), IsOciError(OciErrorCode::kBlobUploadUnknown));
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_->OpenStaged(id, 0, ""));
    ASSERT_OK(staged->Append("0123"));
    ASSERT_OK_AND_ASSIGN(const std::string state, staged->Save());
    EXPECT_THAT(store_->OpenStaged(id, 5, state), IsOciError(OciErrorCode::kBlobUploadUnknown));
  }
}

// Of several parts, in a store that has parts.
TEST_P(ObjectStoreConformance, AnUploadGoesOnFromStateToState) {
  constexpr size_t kPiece = 2'500'003;
  const UploadId id = UploadId::Random();
  std::string state;
  std::string expected;
  for (int i = 0; i < 5; ++i) {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_->OpenStaged(id, expected.size(), state));
    EXPECT_EQ(staged->size_bytes(), expected.size());
    const std::string piece(kPiece, static_cast<char>('a' + i));
    ASSERT_OK(staged->Append(piece));
    expected += piece;
    ASSERT_OK_AND_ASSIGN(state, staged->Save());
    staged->Recorded();
    // Bytes that are not saved do not count.
    ASSERT_OK(staged->Append("lost"));
    EXPECT_EQ(staged->size_bytes(), expected.size() + 4);
  }
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_->OpenStaged(id, expected.size(), state));
  ASSERT_OK(store_->Publish(id, std::move(staged)));
  ASSERT_OK_AND_ASSIGN(const OpenObject object, store_->Open(StagingObjectStore::KeyOf(id)));
  EXPECT_TRUE(Contents(object) == expected);
}

TEST_P(ObjectStoreConformance, CutsWhatWasJustAppended) {
  const UploadId id = UploadId::Random();
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_->OpenStaged(id, 0, ""));
  ASSERT_OK(staged->Append("0123"));
  ASSERT_OK(staged->Save());
  ASSERT_OK(staged->Append("456"));
  ASSERT_OK(staged->Truncate(3));
  ASSERT_OK(staged->Append("x"));
  ASSERT_OK_AND_ASSIGN(const std::string state, staged->Save());
  ASSERT_OK_AND_ASSIGN(staged, store_->OpenStaged(id, 4, state));
  EXPECT_EQ(ReadAll(*staged), "012x");
  ASSERT_OK(staged->Truncate(0));
  ASSERT_OK(staged->Append("y"));
  ASSERT_OK(store_->Publish(id, std::move(staged)));
  ASSERT_OK_AND_ASSIGN(const OpenObject object, store_->Open(StagingObjectStore::KeyOf(id)));
  EXPECT_EQ(Contents(object), "y");
}

TEST_P(ObjectStoreConformance, OpeningForZeroBytesStartsAnew) {
  const UploadId id = UploadId::Random();
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_->OpenStaged(id, 0, ""));
    ASSERT_OK(staged->Append("old"));
  }
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_->OpenStaged(id, 0, ""));
  EXPECT_EQ(ReadAll(*staged), "");
}

TEST_P(ObjectStoreConformance, APublishCanBeRepeated) {
  const UploadId id = UploadId::Random();
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_->OpenStaged(id, 0, ""));
  ASSERT_OK(staged->Append("goods"));
  EXPECT_THAT(store_->OpenPublished(id, 5), IsOciError(OciErrorCode::kBlobUploadUnknown));
  ASSERT_OK(store_->Publish(id, std::move(staged)));

  EXPECT_THAT(store_->OpenStaged(id, 5, ""), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(store_->OpenPublished(id, 4), IsOciError(OciErrorCode::kBlobUploadUnknown));
  ASSERT_OK_AND_ASSIGN(staged, store_->OpenPublished(id, 5));
  EXPECT_EQ(ReadAll(*staged), "goods");
  ASSERT_OK(store_->Publish(id, std::move(staged)));
  ASSERT_OK_AND_ASSIGN(const OpenObject object, store_->Open(StagingObjectStore::KeyOf(id)));
  EXPECT_EQ(Contents(object), "goods");
}

TEST_P(ObjectStoreConformance, ListsAndDiscardsStagedUploads) {
  const UploadId id = UploadId::Random();
  EXPECT_THAT(store_->ListStaged(), IsOkAndHolds(IsEmpty()));
  ASSERT_OK(store_->OpenStaged(id, 0, ""));
  // A shared store lists only what is old.
  if (!store_->shared()) {
    EXPECT_THAT(store_->ListStaged(), IsOkAndHolds(ElementsAre(id)));
  }
  EXPECT_OK(store_->DiscardStaged(id, ""));
  EXPECT_OK(store_->DiscardStaged(id, ""));
  EXPECT_THAT(store_->ListStaged(), IsOkAndHolds(IsEmpty()));
}

TEST_P(ObjectStoreConformance, DeletesTwice) {
  const UploadId id = UploadId::Random();
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_->OpenStaged(id, 0, ""));
  ASSERT_OK(store_->Publish(id, std::move(staged)));
  EXPECT_OK(store_->Delete(StagingObjectStore::KeyOf(id)));
  EXPECT_OK(store_->Delete(StagingObjectStore::KeyOf(id)));
  EXPECT_THAT(store_->Open(StagingObjectStore::KeyOf(id)), IsOciError(OciErrorCode::kBlobUnknown));
}

TEST_P(ObjectStoreConformance, DeletesManyAtOnce) {
  std::vector<StorageKey> keys = {StagingObjectStore::KeyOf(UploadId::Random())};
  for (int i = 0; i < 5; ++i) {
    const UploadId id = UploadId::Random();
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_->OpenStaged(id, 0, ""));
    ASSERT_OK(store_->Publish(id, std::move(staged)));
    keys.push_back(StagingObjectStore::KeyOf(id));
  }
  ASSERT_OK(store_->Quarantine(keys[1]));
  const std::vector<absl::Status> statuses = store_->DeleteAll(keys);
  ASSERT_EQ(statuses.size(), keys.size());
  for (const absl::Status& status : statuses) EXPECT_OK(status);
  ASSERT_OK_AND_ASSIGN(const ObjectList left, store_->List("", 100));
  EXPECT_THAT(left.objects, testing::IsEmpty());
  EXPECT_THAT(store_->DeleteAll({}), testing::IsEmpty());
}

TEST_P(ObjectStoreConformance, CountsQuarantinedObjects) {
  ASSERT_OK_AND_ASSIGN(Waiting quarantined, store_->CountQuarantined(10));
  EXPECT_EQ(quarantined.count, 0u);
  std::vector<StorageKey> keys;
  for (int i = 0; i < 3; ++i) {
    const UploadId id = UploadId::Random();
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_->OpenStaged(id, 0, ""));
    ASSERT_OK(staged->Append("goods"));
    ASSERT_OK(store_->Publish(id, std::move(staged)));
    keys.push_back(StagingObjectStore::KeyOf(id));
  }
  for (int i = 0; i < 2; ++i) ASSERT_OK(store_->Quarantine(keys[i]));
  ASSERT_OK_AND_ASSIGN(quarantined, store_->CountQuarantined(2));
  EXPECT_EQ(quarantined.count, 2u);
  EXPECT_EQ(quarantined.bytes, 10u);
  EXPECT_FALSE(quarantined.more);
  ASSERT_OK_AND_ASSIGN(quarantined, store_->CountQuarantined(1));
  EXPECT_EQ(quarantined.count, 1u);
  EXPECT_TRUE(quarantined.more);
  ASSERT_OK(store_->Delete(keys[0]));
  ASSERT_OK_AND_ASSIGN(quarantined, store_->CountQuarantined(2));
  EXPECT_EQ(quarantined.count, 1u);
}

TEST_P(ObjectStoreConformance, KeepsItsOwner) {
  EXPECT_THAT(store_->ReadOwner(), IsOkAndHolds(StoreOwner()));
  const StoreOwner owner{.catalog_id = "0123", .generation = 3};
  EXPECT_OK(store_->WriteOwner(owner));
  EXPECT_THAT(store_->ReadOwner(), IsOkAndHolds(owner));
}

TEST_P(ObjectStoreConformance, ItsOwnerIsWrittenByManyAtOnce) {
  // Of different lengths, so that a mixture of two is noticed.
  const std::vector<StoreOwner> owners = {{.catalog_id = "0123", .generation = 1},
                                          {.catalog_id = std::string(32, 'a'), .generation = 1'234'567'890},
                                          {.catalog_id = std::string(16, 'b'), .generation = 99}};
  std::vector<std::thread> writers;
  for (const StoreOwner& owner : owners) {
    writers.emplace_back([this, &owners, owner] {
      for (int i = 0; i < 15; ++i) {
        EXPECT_OK(store_->WriteOwner(owner));
        EXPECT_THAT(store_->ReadOwner(), IsOkAndHolds(testing::AnyOfArray(owners)));
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
}

TEST_P(ObjectStoreConformance, LargeObjectsReadBack) {
  const UploadId id = UploadId::Random();
  std::string expected;
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_->OpenStaged(id, 0, ""));
  for (int i = 0; i < 9; ++i) {
    const std::string piece(1'000'003, static_cast<char>('a' + i));
    ASSERT_OK(staged->Append(piece));
    expected += piece;
  }
  ASSERT_OK(store_->Publish(id, std::move(staged)));
  ASSERT_OK_AND_ASSIGN(const OpenObject object, store_->Open(StagingObjectStore::KeyOf(id)));
  EXPECT_TRUE(Contents(object) == expected);
}

}  // namespace
}  // namespace entrepot::blob
