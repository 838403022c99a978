#include "services/ctl/output/transfer_text.h"

#include "gtest/gtest.h"

namespace entrepot::ctl {
namespace {

ImageTransfer Transfer() {
  return {.image = "team/app:v1",
          .digest = "sha256:aa",
          .manifests = 3,
          .blobs = 4,
          .blobs_done = 2,
          .blobs_there = 1,
          .bytes = 2048,
          .bytes_done = 1024};
}

TEST(TransferTextTest, ShowsHowFarATransferIs) {
  EXPECT_EQ(TransferBar(Transfer(), absl::Milliseconds(61'500)),
            "[==========>         ]  50 %  team/app:v1: 1.0 KiB of 2.0 KiB, 2 of 4 blobs, 1m1s");
  EXPECT_EQ(TransferLine(Transfer()), "team/app:v1: 1.0 KiB of 2.0 KiB, 2 of 4 blobs");
  EXPECT_EQ(TransferLine({.image = "a:b", .manifests = 1}), "a:b: 1 manifest");
}

TEST(TransferTextTest, NamesWhatIsAbsent) {
  ImageTransfer sparse = Transfer();
  sparse.absent = {"sha256:bb"};
  EXPECT_EQ(TransferText("exported", {Transfer(), sparse}),
            "exported team/app:v1, sha256:aa\n  3 manifests, 4 blobs, 2.0 KiB; 1 blob was there before\n"
            "exported team/app:v1, sha256:aa\n  3 manifests, 4 blobs, 2.0 KiB; 1 blob was there before\n"
            "  without 1 manifest that the source does not have:\n    sha256:bb\n");
}

TEST(TransferTextTest, ScriptsGetJson) {
  EXPECT_EQ(TransferJson({Transfer()}, {"x: broken"}),
            R"({"images":[{"image":"team/app:v1","digest":"sha256:aa","manifests":3,"blobs":4,"blobsThere":1,)"
            R"("bytes":2048,"absent":[]}],"problems":["x: broken"]})"
            "\n");
}

}  // namespace
}  // namespace entrepot::ctl
