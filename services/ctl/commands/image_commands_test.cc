#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/ctl/command_line/command.h"
#include "services/ctl/layout/layout_index.h"
#include "services/ctl/program.h"
#include "services/ctl/testing/command_test_fixture.h"
#include "services/ctl/testing/content_registry.h"

namespace entrepot::ctl {
namespace {

using ::testing::HasSubstr;

class ImageCommandsTest : public CommandTest {
 protected:
  ImageCommandsTest() { ::unsetenv("ENTREPOT_USERNAME"); }

  // Executes a command line against `registry_`.
  Outcome RunImages(const std::vector<std::string>& words) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    Outcome outcome;
    outcome.code = RunEntrepotctl(words, registry_);
    outcome.out = testing::internal::GetCapturedStdout();
    outcome.err = testing::internal::GetCapturedStderr();
    return outcome;
  }

  ContentRegistry registry_;
};

TEST_F(ImageCommandsTest, ImagesGoThroughADirectoryOrATarFile) {
  const Digest app = registry_.AddImage("team/app", {"app"}, "v1");
  const Digest web = registry_.AddImage("team/web", {"web"}, "latest");
  for (const char* const name : {"layout", "layout.tar"}) {
    const std::string path = PathOf(name);
    const Outcome exported = RunImages({"export", path, "team/app:v1", "team/web"});
    EXPECT_EQ(exported.code, kOk) << exported.err;
    EXPECT_THAT(exported.out, HasSubstr(absl::StrCat("exported team/app:v1, ", app.ToString(),
                                                     "\n  1 manifest, 2 blobs, 5 B; 0 blobs were there before\n")));
    EXPECT_THAT(exported.out, HasSubstr(absl::StrCat("exported team/web:latest, ", web.ToString())));

    const ContentRegistry source = registry_;
    registry_ = ContentRegistry();
    const Outcome imported = RunImages({"import", path});
    EXPECT_EQ(imported.code, kOk) << imported.err;
    EXPECT_THAT(imported.out, HasSubstr("imported team/app:v1, "));
    EXPECT_EQ(registry_.TagOf("team/app", "v1"), app.ToString());
    EXPECT_EQ(registry_.TagOf("team/web", "latest"), web.ToString());

    registry_ = ContentRegistry();
    EXPECT_EQ(RunImages({"import", path, "mirror/all", "--output=json"}).code, kOk);
    EXPECT_EQ(registry_.TagOf("mirror/all", "v1"), app.ToString());
    EXPECT_EQ(registry_.TagOf("mirror/all", "latest"), web.ToString());
    registry_ = source;
  }
}

TEST_F(ImageCommandsTest, AnImageOfALayoutMayGetAnotherTag) {
  const Digest app = registry_.AddImage("team/app", {"app"}, "v1");
  EXPECT_EQ(RunImages({"export", PathOf("x"), "team/app:v1"}).code, kOk);
  EXPECT_EQ(RunImages({"import", PathOf("x"), "other/app:v9"}).code, kOk);
  EXPECT_EQ(registry_.TagOf("other/app", "v9"), app.ToString());
}

TEST_F(ImageCommandsTest, AnImportIntoCachesSaysSo) {
  registry_.AddImage("docker.io/library/nginx", {"layer"}, "1");
  EXPECT_EQ(RunImages({"export", PathOf("x"), "docker.io/library/nginx:1"}).code, kOk);
  registry_.requests.clear();
  EXPECT_EQ(RunImages({"import", PathOf("x"), "--into-caches"}).code, kOk);
  ASSERT_FALSE(registry_.requests.empty());
  for (const HttpRequest& request : registry_.requests) {
    ASSERT_FALSE(request.headers.empty()) << request.method << " " << request.url;
    EXPECT_EQ(request.headers.back().first, "Entrepot-Import");
  }
}

TEST_F(ImageCommandsTest, ABrokenImageIsReportedAndTheOthersAreImported) {
  const Digest app = registry_.AddImage("team/app", {"app"}, "v1");
  registry_.AddImage("team/web", {"web"}, "v2");
  EXPECT_EQ(RunImages({"export", PathOf("x"), "team/web:v2", "team/app:v1"}).code, kOk);
  registry_ = ContentRegistry();
  const Digest web = ComputeDigest(DigestAlgorithm::kSha256, "web");
  std::ofstream(PathOf("x/" + LayoutBlobPath(web))) << "WEB";
  const Outcome outcome = RunImages({"import", PathOf("x")});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.err, HasSubstr("entrepotctl: team/web:v2: the layout is damaged: the bytes of the blob "));
  EXPECT_EQ(registry_.TagOf("team/app", "v1"), app.ToString());
  EXPECT_EQ(registry_.TagOf("team/web", "v2"), "");
}

TEST_F(ImageCommandsTest, AFailureNamesTheImage) {
  const Outcome outcome = RunImages({"export", PathOf("x"), "team/app:v1"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_EQ(outcome.err, "entrepotctl: team/app:v1: the registry answered 404 UNKNOWN: not here\n");
}

TEST_F(ImageCommandsTest, MisuseIsToldBeforeARequest) {
  EXPECT_THAT(UsageError({"export", PathOf("x")}), HasSubstr("IMAGE is required"));
  EXPECT_THAT(UsageError({"export", PathOf("x"), "Team/App"}), HasSubstr("Team/App"));
  EXPECT_THAT(UsageError({"export", PathOf("x"), "team/app", "--platform=linux"}), HasSubstr("linux"));
  EXPECT_THAT(UsageError({"import", PathOf("missing")}), HasSubstr("No such file"));
  const std::string file = WriteFile("letter", "x");
  EXPECT_THAT(UsageError({"import", file}), HasSubstr("is not an OCI image layout"));
}

}  // namespace
}  // namespace entrepot::ctl
