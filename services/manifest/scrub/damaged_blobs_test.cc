#include "services/manifest/scrub/damaged_blobs.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/catalog_test_fixture.h"
#include "services/manifest/testing/memory_blob_storage.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

bool GoOn(uint64_t, uint64_t) { return true; }

class DamagedBlobsTest : public CatalogTest {
 protected:
  Blob Stored(absl::string_view content) {
    const Blob blob = objects_.Upload(content);
    EXPECT_OK(catalog_->blobs().Commit(kAnonymous, a_, blob));
    return blob;
  }
  absl::StatusOr<DamagedBlobs> Mark() { return MarkDamagedBlobs(*engine_->get(), clock_, objects_, GoOn); }

  MemoryBlobStorage objects_{&clock_};
};

INSTANTIATE_TEST_SUITE_P(Engines, DamagedBlobsTest, kv::EachTestEngine(), kv::TestEngineName);

TEST_P(DamagedBlobsTest, MarksDamagedAndMissingBlobsUntilTheyArePushedAgain) {
  const Blob good = Stored("good");
  const Blob rotten = Stored("rotten");
  const Blob lost = Stored("lost");
  objects_.Overwrite(rotten.storage_key, "ROTTEN");
  objects_.Lose(lost.storage_key);
  const std::string rotten_name = "I1: " + rotten.digest.ToString();
  const std::string lost_name = "I1: " + lost.digest.ToString();
  ASSERT_OK_AND_ASSIGN(DamagedBlobs damaged, Mark());
  EXPECT_THAT(damaged.lines, UnorderedElementsAre(rotten_name + " has damaged bytes", lost_name + " has no bytes"));
  EXPECT_EQ(damaged.verified_bytes, good.size_bytes);
  EXPECT_OK(catalog_->blobs().Find(kAnonymous, a_, good.digest));
  EXPECT_FALSE(catalog_->blobs().Find(kAnonymous, a_, rotten.digest).ok());
  EXPECT_FALSE(catalog_->blobs().Find(kAnonymous, a_, lost.digest).ok());

  ASSERT_OK_AND_ASSIGN(damaged, Mark());
  EXPECT_THAT(damaged.lines, UnorderedElementsAre(rotten_name + " was CORRUPT", lost_name + " was CORRUPT"));
  Stored("rotten");
  Stored("lost");
  ASSERT_OK_AND_ASSIGN(damaged, Mark());
  EXPECT_THAT(damaged.lines, IsEmpty());
  EXPECT_OK(catalog_->blobs().Find(kAnonymous, a_, lost.digest));
}

TEST_P(DamagedBlobsTest, AnErrorOfTheStoreMarksNothing) {
  const Blob blob = Stored("good");
  objects_.SetFault([](absl::string_view, const std::string&) { return absl::UnavailableError("away"); });
  EXPECT_THAT(Mark(), StatusIs(absl::StatusCode::kUnavailable));
  objects_.SetFault({});
  EXPECT_OK(catalog_->blobs().Find(kAnonymous, a_, blob.digest));
  EXPECT_THAT(MarkDamagedBlobs(*engine_->get(), clock_, objects_, [](uint64_t, uint64_t) { return false; }),
              StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace entrepot::manifest
