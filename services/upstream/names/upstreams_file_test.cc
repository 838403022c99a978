#include "services/upstream/names/upstreams_file.h"

#include <fstream>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class UpstreamsFileTest : public testing::Test {
 protected:
  void Write(const std::string& text) { std::ofstream(path_) << text; }
  absl::StatusOr<std::unique_ptr<UpstreamsFile>> Open() {
    return UpstreamsFile::Open(path_, registry_, /*poll_interval=*/absl::ZeroDuration());
  }
  std::string Metrics() const { return prometheus::TextSerializer().Serialize(registry_->Collect()); }

  const kv::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/upstreams.yaml";
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
};

TEST_F(UpstreamsFileTest, LoadsChanges) {
  Write("upstreams: [{name: docker.io}]");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<UpstreamsFile> file, Open());
  const std::shared_ptr<const UpstreamsSnapshot> before = file->current();
  ASSERT_NE(before->Find("docker.io"), nullptr);
  EXPECT_EQ(before->Find("docker.io")->url(), "https://registry-1.docker.io");
  EXPECT_EQ(before->Find("quay.io"), nullptr);
  EXPECT_EQ(before->Find("index.docker.io"), nullptr);

  ASSERT_OK(file->ReloadIfChanged());
  EXPECT_EQ(file->current(), before);

  Write("upstreams: [{name: quay.io}]");
  ASSERT_OK(file->ReloadIfChanged());
  EXPECT_NE(file->current()->Find("quay.io"), nullptr);
  EXPECT_EQ(file->current()->Find("docker.io"), nullptr);
  EXPECT_TRUE(file->current()->names.ByPath(RepositoryName::Parse("quay.io/a").value()).value().has_value());
  EXPECT_NE(before->Find("docker.io"), nullptr);
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_upstreams_reloads_total{result=\"success\"} 2"));
}

TEST_F(UpstreamsFileTest, KeepsTheOldEntriesIfTheNewFileIsInvalid) {
  Write("upstreams: [{name: docker.io}]");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<UpstreamsFile> file, Open());
  Write("upstreams:\n- name: quay.io\n  url: quay.io\n- nam: ghcr.io\n");
  testing::internal::CaptureStderr();
  EXPECT_THAT(file->ReloadIfChanged(), StatusIs(absl::StatusCode::kInvalidArgument));
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("new upstreams refused, the old one stays"));
  EXPECT_THAT(log, HasSubstr("upstreams.yaml:3: upstreams[0].url: "));
  EXPECT_THAT(log, HasSubstr("upstreams.yaml:4: upstreams[1]"));
  EXPECT_NE(file->current()->Find("docker.io"), nullptr);
  EXPECT_EQ(file->current()->Find("quay.io"), nullptr);
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_upstreams_reloads_total{result=\"failure\"} 1"));
}

TEST_F(UpstreamsFileTest, LogsWarningsOfAFileThatIsUsed) {
  const std::string unwise = "upstreams: [{name: a.example, url: \"http://a.example\", credentials: {helper: /h}}]";
  Write(unwise);
  testing::internal::CaptureStderr();
  ASSERT_OK(Open());
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("cross the network in clear text"));
  Write(unwise + "\ndefault_upstream: b.example");
  testing::internal::CaptureStderr();
  EXPECT_FALSE(Open().ok());
  EXPECT_THAT(testing::internal::GetCapturedStderr(), Not(HasSubstr("cross the network in clear text")));
}

TEST_F(UpstreamsFileTest, KnowsWhatAFileLacksThatWasCutShort) {
  const std::string begin = "upstreams:\n- name: quay.io\n";
  const std::string digest = "sha256:" + std::string(64, 'a');
  Write(begin + "  repositories: [a]\n  pins: [{repository: a, tag: v1, digest: \"" + digest + "\"}]\n");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<UpstreamsFile> file, Open());
  const auto reload = [&](const std::string& text) {
    testing::internal::CaptureStderr();
    Write(text);
    EXPECT_OK(file->ReloadIfChanged());
    return testing::internal::GetCapturedStderr();
  };
  const std::string log = reload(begin);
  EXPECT_THAT(log, HasSubstr("the new upstreams lacks restrictions of the old one"));
  EXPECT_THAT(log, HasSubstr("the pin of a:v1 of quay.io, repositories of quay.io"));
  EXPECT_THAT(reload(begin + "  allow_private_addresses: true\n"), HasSubstr("allow_private_addresses of quay.io"));
  EXPECT_THAT(reload(begin + "  repositories: [b]\n"), Not(HasSubstr("lacks")));
  EXPECT_THAT(reload("upstreams: [{name: ghcr.io}]"), Not(HasSubstr("lacks")));
}

TEST_F(UpstreamsFileTest, AnUnusableFirstFileIsAnErrorThatNamesIt) {
  const absl::Status missing = Open().status();
  EXPECT_THAT(std::string(missing.message()), HasSubstr(path_));
  EXPECT_THAT(CheckUpstreamsFile(path_), StatusIs(absl::StatusCode::kNotFound));

  Write("upstreams: [{nam: docker.io}]");
  const absl::Status invalid = Open().status();
  EXPECT_EQ(CheckUpstreamsFile(path_), invalid);
  EXPECT_THAT(invalid, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(invalid.message()), HasSubstr("upstreams.yaml:1: "));

  Write("upstreams: [{name: docker.io}]");
  EXPECT_OK(CheckUpstreamsFile(path_));
}

TEST(UpstreamsSnapshotTest, DoesNotReadTheFilesOfAnEntry) {
  EXPECT_OK(
      ParseUpstreams("upstreams: [{name: a.example, ca_file: /absent/a, client_certificate_file: /absent/c, "
                     "client_key_file: /absent/k, credentials: {username: u, password_file: /absent/p}}]",
                     "upstreams.yaml"));
}

// The example of the documentation.
TEST(ExampleUpstreamsTest, HasTheDefaultsThatItShows) {
  const auto registry = std::make_shared<prometheus::Registry>();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<UpstreamsFile> file,
                       UpstreamsFile::Open("examples/upstreams.yaml", registry, absl::ZeroDuration()));
  const config::v1::Upstream* const shown = file->current()->Find("registry.example");
  ASSERT_NE(shown, nullptr);
  ASSERT_OK_AND_ASSIGN(const auto bare, ParseUpstreams("upstreams: [{name: registry.example}]", "upstreams.yaml"));
  config::v1::Upstream expected = *bare->Find("registry.example");
  // What has no default.
  expected.mutable_aliases()->CopyFrom(shown->aliases());
  expected.mutable_credentials()->set_username("puller");
  expected.mutable_credentials()->set_password_file("/etc/entrepot/registry.example.password");
  expected.mutable_credentials()->mutable_helper_lifetime()->set_seconds(3600);
  expected.mutable_repositories()->CopyFrom(shown->repositories());
  expected.mutable_realm_hosts()->CopyFrom(shown->realm_hosts());
  expected.mutable_pins()->CopyFrom(shown->pins());
  EXPECT_EQ(shown->DebugString(), expected.DebugString());
  EXPECT_THAT(shown->repositories(), ElementsAre("team/**", "tools/lint"));
  EXPECT_EQ(file->current()->file.default_upstream(), "docker.io");
}

}  // namespace
}  // namespace entrepot::upstream
