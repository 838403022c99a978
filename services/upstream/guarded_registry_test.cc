#include "services/upstream/guarded_registry.h"

#include <memory>
#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"
#include "services/status/status_matchers.h"
#include "services/upstream/registry/upstream_error.h"
#include "services/upstream/testing/fake_upstream_registry.h"

namespace entrepot::upstream {
namespace {

constexpr char kType[] = "application/vnd.oci.image.manifest.v1+json";

class GuardedRegistryTest : public testing::Test {
 protected:
  static config::v1::Upstream Config() {
    config::v1::Upstream config;
    config.set_name("up.example");
    return config;
  }
  absl::Status Head() { return guarded_.HeadManifest("team/app", *Tag::Parse("v1")).status(); }
  void FailAll(UpstreamFailure failure) { upstream_->FailAll(UpstreamError(failure, "it fails")); }
  absl::Status Get(const Digest& digest, uint64_t offset_bytes, std::string* bytes) {
    return guarded_.GetBlob("team/app", digest, offset_bytes,
                            {.on_head = [](const UpstreamBlobHead&) { return absl::OkStatus(); },
                             .on_bytes =
                                 [bytes](absl::string_view more) {
                                   bytes->append(more.data(), more.size());
                                   return absl::OkStatus();
                                 }});
  }

  FakeClock clock_;
  // The number of first bytes that were observed for "kind".
  uint64_t FirstBytes(absl::string_view kind) const {
    for (const prometheus::MetricFamily& family : registry_->Collect()) {
      if (family.name != "entrepot_upstream_time_to_first_byte_seconds") continue;
      for (const prometheus::ClientMetric& metric : family.metric) {
        for (const auto& label : metric.label) {
          if (label.name == "kind" && label.value == kind) return metric.histogram.sample_count;
        }
      }
    }
    return 0;
  }

  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  UpstreamMetrics metrics_{registry_};
  const std::shared_ptr<FakeUpstreamRegistry> upstream_ = std::make_shared<FakeUpstreamRegistry>();
  GuardedRegistry guarded_{Config(), upstream_, &clock_, &metrics_};
};

TEST_F(GuardedRegistryTest, PassesCallsOnAndCountsThem) {
  const Digest manifest = upstream_->AddManifest("team/app", kType, "{}", "v1");
  const Digest blob = upstream_->AddBlob("team/app", "bytes");
  EXPECT_OK(Head());
  EXPECT_EQ(guarded_.GetManifest("team/app", manifest)->content, "{}");
  EXPECT_EQ(guarded_.HeadBlob("team/app", blob)->size_bytes, 5u);
  std::string bytes;
  EXPECT_OK(Get(blob, 2, &bytes));
  EXPECT_EQ(bytes, "tes");
  EXPECT_EQ(guarded_.ListTags("team/app", 10)->size(), 1u);
  EXPECT_EQ(guarded_.ListReferrers("team/app", manifest)->size(), 0u);
  EXPECT_EQ(guarded_.requests(), 6u);
  EXPECT_EQ(guarded_.bytes_fetched(), 5u);
  EXPECT_EQ(FirstBytes("manifest"), 1u);
  EXPECT_EQ(FirstBytes("blob"), 1u);
}

TEST_F(GuardedRegistryTest, AFailureHasNoFirstByte) {
  FailAll(UpstreamFailure::kUnavailable);
  const Digest digest = upstream_->AddBlob("team/app", "bytes");
  std::string bytes;
  EXPECT_FALSE(Get(digest, 0, &bytes).ok());
  EXPECT_FALSE(guarded_.GetManifest("team/app", digest).ok());
  EXPECT_EQ(FirstBytes("manifest"), 0u);
  EXPECT_EQ(FirstBytes("blob"), 0u);
}

TEST_F(GuardedRegistryTest, NamesWhatIsMissing) {
  const Digest digest = upstream_->AddManifest("team/app", kType, "{}");
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(Head(), IsOciError(OciErrorCode::kManifestUnknown));
    EXPECT_EQ(FailureOf(Head()), UpstreamFailure::kNotFound);
    EXPECT_THAT(guarded_.HeadBlob("team/app", digest), IsOciError(OciErrorCode::kBlobUnknown));
    std::string bytes;
    EXPECT_THAT(Get(digest, 0, &bytes), IsOciError(OciErrorCode::kBlobUnknown));
  }
  EXPECT_OK(guarded_.health());
}

TEST_F(GuardedRegistryTest, DoesNotAskAnUpstreamThatFails) {
  for (const UpstreamFailure failure : {UpstreamFailure::kUnavailable, UpstreamFailure::kRateLimited}) {
    const int before = upstream_->calls("HeadManifest");
    FailAll(failure);
    for (int i = 0; i < 10; ++i) EXPECT_THAT(Head(), IsOciError(OciErrorCode::kUnavailable));
    EXPECT_EQ(upstream_->calls("HeadManifest"), before + 3);
    EXPECT_EQ(guarded_.health().message(), "it fails");
    EXPECT_FALSE(guarded_.due());
    std::string bytes;
    const Digest blob = upstream_->AddBlob("team/app", "bytes");
    EXPECT_THAT(Get(blob, 0, &bytes), IsOciError(OciErrorCode::kUnavailable));
    EXPECT_EQ(upstream_->blob_gets(blob), 0 + (before == 0 ? 0 : 1));
    // A fetch goes on.
    upstream_->FailAll(absl::OkStatus());
    EXPECT_OK(Get(blob, 2, &bytes));
    EXPECT_EQ(bytes, "tes");
    EXPECT_OK(guarded_.health());
  }
}

TEST_F(GuardedRegistryTest, AnswersThatMakeNoSenseAreNoFailureOfTheUpstream) {
  for (const UpstreamFailure failure : {UpstreamFailure::kInvalid, UpstreamFailure::kDenied}) {
    FailAll(failure);
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(Head().ok());
  }
  EXPECT_EQ(upstream_->calls("HeadManifest"), 20);
}

TEST_F(GuardedRegistryTest, RequestsThatWereNotSentAreNoFailureOfTheUpstream) {
  upstream_->FailAll(NotSentError("too many requests run"));
  for (int i = 0; i < 10; ++i) EXPECT_THAT(Head(), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_OK(guarded_.health());
}

TEST_F(GuardedRegistryTest, HasAReasonToPauseUntilAProbeIsDue) {
  EXPECT_EQ(guarded_.pause_reason(), std::nullopt);
  FailAll(UpstreamFailure::kUnavailable);
  for (int i = 0; i < outbound::BreakerOptions().failures_max; ++i) EXPECT_FALSE(Head().ok());
  EXPECT_EQ(guarded_.pause_reason(), guarded_.health().message());
  clock_.Advance(outbound::BreakerOptions().pause_max);
  EXPECT_EQ(guarded_.pause_reason(), std::nullopt);
  EXPECT_FALSE(Head().ok());
  EXPECT_TRUE(guarded_.pause_reason().has_value());
}

TEST_F(GuardedRegistryTest, AWaitForOneKindOfRequestHoldsBackNoOther) {
  upstream_->FailAll(UpstreamError(UpstreamFailure::kRateLimited, "too many manifests", absl::Minutes(5)));
  for (int i = 0; i < 10; ++i) EXPECT_THAT(Head(), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_OK(guarded_.health());
  upstream_->FailAll(UpstreamError(UpstreamFailure::kUnavailable, "overloaded", absl::Minutes(5)));
  EXPECT_THAT(Head(), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_EQ(GetRetryAfter(guarded_.health()), absl::Minutes(5));
}

TEST_F(GuardedRegistryTest, BlobsThatBreakOffAreNoFailureOfTheUpstream) {
  const Digest blob = upstream_->AddBlob("team/app", "bytes");
  upstream_->SetScript(blob, {.cuts = {1, 1, 1, 1, 1}});
  std::string bytes;
  for (int i = 0; i < 5; ++i) EXPECT_THAT(Get(blob, 0, &bytes), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_OK(Get(blob, 0, &bytes));
}

TEST_F(GuardedRegistryTest, ErrorsOfTheReceiverAreNoFailureOfTheUpstream) {
  const Digest blob = upstream_->AddBlob("team/app", "bytes");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(guarded_.GetBlob("team/app", blob, 0,
                               {.on_head = [](const UpstreamBlobHead&) { return absl::UnavailableError("disk full"); },
                                .on_bytes = [](absl::string_view) { return absl::OkStatus(); }}),
              absl::UnavailableError("disk full"));
  }
  EXPECT_OK(guarded_.health());
}

}  // namespace
}  // namespace entrepot::upstream
