"""What a training can be told: `TrainConfig` and its parts.

Nothing heavy is imported here, so that a study can be checked and planned in an instant.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mtdepth.data.driveworld.config import DriveworldConfig
from mtdepth.store_url import Place

Task = Literal["depth", "instances"]
Crop = Literal["garg", "cityscapes", "none"]
DepthTruth = Literal["best", "lidar"]
LidarDepth = Literal["velodyne", "camera"]
BY_TORCHJD = ("upgrad", "pcgrad", "cagrad", "imtl-g", "aligned-mtl")
"""Weightings that need the extra `gradients`."""
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


class Config(BaseModel):
    """A frozen part of the configuration, which knows no field but its own."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )


OWN_DEFAULTS: dict[str, dict[str, Any]] = {
    "kitti": {"split": "eigen_zhou_by_drive", "height": 192, "width": 640},
    "kitti-odometry": {"split": "odom_by_drive", "height": 192, "width": 640},
    "cityscapes": {"split": "cityscapes", "height": 192, "width": 512},
}
"""What is taken for granted of each data set, where it is not driveworld's."""


class DataSetConfig(Config):
    """A data set, and which of its images."""

    name: Literal["driveworld", "kitti", "kitti-odometry", "cityscapes"] = "driveworld"
    """`driveworld` is rendered where it is missing; the others must lie at `root`, in the layout
    in which they are published. driveworld has that of `kitti`, KITTI's raw recordings."""
    root: Place | None = None
    """Directory of the data set (KITTI raw: that which holds `<date>/<date>_drive_NNNN_sync`), or
    of a pack of it (`python -m mtdepth.data.prepare`). A pack may also lie at `s3://bucket/path`
    or `file:///path`: each machine copies it to its own disk, once. For driveworld it may be left
    out: `data/driveworld-<fingerprint>` is used."""
    split: str = "driveworld"
    """A directory of `{train,val,test}_files.txt` in monodepth2's format: a path, or a name
    under `<root>/splits`. KITTI's is `eigen_zhou_by_drive`, which divides the training and
    validation frames of `eigen_zhou` anew, so that no drive is in both; `_by_drive` does the same
    to any other split, and odometry's is `odom_by_drive`. Cityscapes' is `cityscapes`, which needs
    no lists and is divided by city."""

    @model_validator(mode="before")
    @classmethod
    def _its_own(cls, told: Any) -> Any:
        if not isinstance(told, dict):
            return told
        own = OWN_DEFAULTS.get(str(told.get("name")), {})
        found = {name: value for name, value in own.items() if name in cls.model_fields} | told
        if isinstance(mix := found.get("mix"), list):  # what has been here is strictly no tuple
            found["mix"] = tuple(mix)
        return found


class MixedDataConfig(DataSetConfig):
    """A data set that training draws from beside another."""

    weight: Positive = 1.0
    """Its samples in an epoch, as a multiple of those of the data set that it is mixed into."""


class DataConfig(DataSetConfig):
    """Which images are read, and at which size. What is not told of KITTI is monodepth2's, but for
    the split, which keeps training and validation apart."""

    height: Annotated[int, Field(ge=64, multiple_of=32)] = 64
    """Rows of an image that the network sees; KITTI's and Cityscapes' are 192."""
    width: Annotated[int, Field(ge=64, multiple_of=32)] = 192
    """Columns of an image that the network sees; KITTI's are 640, Cityscapes' 512."""
    train_on: Literal["train", "train+val"] = "train"
    """`train+val` learns from the validation split as well, and is not judged on it."""
    mix: tuple[MixedDataConfig, ...] = ()
    """Other data sets that training draws from as well. Validation and test are this one's."""
    cache_gib: NonNegative = 4.0
    """How much memory a process may spend on decoded frames; packs need none."""
    device_gib: NonNegative = 32.0
    """How much of its GPU's memory a process may spend on a training split that is packed, which is
    then copied there once; at most half of what is free. Larger ones are copied batch by batch."""
    driveworld: DriveworldConfig = DriveworldConfig()
    """The world that is rendered, when `name` is driveworld and `root` does not hold one yet."""

    def mixed(self) -> tuple[DataConfig, ...]:
        """The data sets of `mix`, at the size of this one."""
        return tuple(
            self.model_copy(
                update={
                    "name": one.name,
                    "root": one.root,
                    "split": one.split,
                    "mix": (),
                    "train_on": "train",
                }
            )
            for one in self.mix
        )


class AugmentationConfig(Config):
    """Random changes of training samples, the same for all frames of a triplet."""

    flip: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Probability of a horizontal flip."""
    color_jitter: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Probability of a colour jitter (brightness, contrast, saturation 0.2, hue 0.1, as in
    monodepth2). The loss always sees the unjittered colours."""


class EncoderConfig(Config):
    """The ResNet-18 that all tasks share."""

    width: Annotated[int, Field(ge=8, multiple_of=8)] = 64
    """Channels of the first stage; 64 is the ResNet-18 of He et al., others are slimmer or wider
    networks of the same 18 layers."""
    weights: str = "imagenet"
    """`imagenet` (torchvision's, width 64 only), `none`, or the path of a state dict."""


class DecoderConfig(Config):
    """The monodepth2 decoder that depth and instances share."""

    width: Annotated[int, Field(ge=4, multiple_of=4)] = 16
    """Channels of its last stage: (1, 2, 4, 8, 16) times this, from fine to coarse."""
    disparity_bias: float = 0.0
    """Initial bias before the sigmoid of disparity. From random weights, -3 starts the street
    far away and keeps the gradient alive."""


class PoseConfig(Config):
    """How the camera's motion is predicted."""

    encoder: Literal["attended", "shared", "separate"] = "attended"
    """Where pose gets its features. `attended`: its own attention on the shared encoder, which is
    how we read the poster ("no attention decoder" for pose); `shared`: the shared features as
    they are; `separate`: an encoder of its own over pairs of images, as in monodepth2."""
    translation_m: Positive = 0.01
    """Metres that an output of 1 stands for; 0.01 is monodepth2's. The scale of monocular depth is
    free, but from random weights it has to begin where motion and depth fit together."""
    rotation_rad: Positive = 0.01
    """Radians that an output of 1 stands for."""
    forward_m: NonNegative = 0.0
    """How far the camera drives between frames before anything is learned; monodepth2 begins
    standing still. From random weights, a car's motion to begin with saves hundreds of steps in
    which neither depth nor motion can be told without the other."""


class DepthConfig(Config):
    """The range of depth, and the photometric loss."""

    min_m: Positive = 0.1
    """Depth at disparity 1."""
    max_m: Positive = 100.0
    """Depth at disparity 0."""
    ssim: Annotated[float, Field(ge=0, le=1)] = 0.85
    """Share of SSIM in the photometric error; the rest is L1 (Godard et al. 2019, sec. 3.1)."""
    smoothness: NonNegative = 1e-3
    """Weight of edge-aware smoothness at scale 0; it halves with each scale."""
    automask: bool = True
    """Leave out pixels that look better unwarped (Godard et al. 2019, eq. 5)."""

    @model_validator(mode="after")
    def _range(self) -> Self:
        if self.min_m >= self.max_m:
            raise ValueError(f"expected min_m < max_m, found {self.min_m} and {self.max_m}")
        return self


class OffsetConfig(Config):
    """The loss on pixel offsets to instance centroids."""

    unit: Literal["image", "pixel"] = "image"
    """`image` divides x by the width and y by the height, which makes the loss comparable with
    the photometric one; `pixel` does not."""
    norm: Literal["l2", "squared", "l1"] = "l2"
    """Distance between predicted and true offsets."""
    background: Literal["zero", "balanced", "masked"] = "zero"
    """Background pixels are taught a zero offset and count like all others (the poster's reading);
    are taught it and count, together, as much as all instances together; or are left alone. Few
    pixels are an instance, so that a short training of `zero` ends at zero offsets everywhere."""
    factor: Positive = 1.0
    """Multiplies the loss before it is weighted. The offsets' loss has the steeper gradient: in a
    short training from random weights, an equal weight leaves the shared features to it."""
    min_area: Annotated[int, Field(ge=0)] = 12
    """Instances with fewer pixels at training resolution are ignored."""


class WeightingConfig(Config):
    """How the tasks' losses become one."""

    name: Literal[
        "equal",
        "fixed",
        "dwa",
        "uncertainty",
        "uncertainty-so",
        "gls",
        "rlw",
        "famo",
        "upgrad",
        "pcgrad",
        "cagrad",
        "imtl-g",
        "aligned-mtl",
        "nash",
    ] = "equal"
    """Equal weights; `fixed` ones, which a study can search; Dynamic Weight Average (Liu et al.
    2019); homoscedastic uncertainty, learned (Kendall et al. 2018) or in closed form (`-so`,
    Kirchdorfer et al. 2024); the geometric mean (`gls`, Chennupati et al. 2019); random weights
    (`rlw`, Lin et al. 2022); or losses that fall alike (`famo`, Liu et al. 2023). The others go by
    the tasks' gradients and cost a backward pass a task: UPGrad (Quinton and Rey 2024), PCGrad (Yu
    et al. 2020), CAGrad (Liu et al. 2021), IMTL-G (Liu et al. 2021), Aligned-MTL (Senushkin et al.
    2023), and the Nash bargaining solution (Navon et al. 2022). All but the last need the extra
    `gradients`."""
    depth_weight: Positive = 1.0
    """Weight of depth, if they are fixed."""
    instances_weight: Positive = 1.0
    """Weight of instances, if they are fixed. Adam feels the ratio of the two alone."""
    temperature: Positive = 2.0
    """DWA's T: higher is more even."""
    init_log_variance: float = 0.0
    """Where uncertainty's log-variances start."""
    lr_factor: Positive = 10.0
    """Learning rate of the log-variances, as a multiple of `optimizer.lr`."""
    so_temperature: Positive = 100.0
    """T of `uncertainty-so`: higher is more even. It is measured against 1 / loss: with losses of
    0.1 and 0.006, a T of 10 leaves nothing to the greater one, and 100 a sixth."""
    famo_lr: Positive = 0.025
    """Learning rate of FAMO's logits."""
    famo_decay: NonNegative = 1e-3
    """FAMO's gamma: how strongly its logits are drawn back to even weights."""
    cagrad_c: NonNegative = 0.4
    """How far CAGrad goes from the mean gradient, as a share of its length."""


class OpticsConfig(Config):
    """OPTICS over the places that pixels point to (Ankerst et al. 1999)."""

    method: Literal["optics", "optics-sklearn", "dbscan", "hdbscan"] = "optics"
    """`optics` merges votes on a grid of a quarter of a pixel and is exact on it; `optics-sklearn`
    is scikit-learn's, on the votes as they are, hundreds of times as slow;
    `dbscan` (Ester et al. 1996) reads `min_samples` and `eps`; `hdbscan` (Campello et al. 2013)
    finds a cut of its own within each cluster that OPTICS has at `max_eps`, and reads no `eps`."""
    min_samples: Annotated[int, Field(ge=2)] = 26
    """Votes within reach that make a vote a core point. Background votes for itself, a vote a
    pixel: twice the pixels of a disc of `eps` keep it from being dense, however noise moves its
    votes. An object of fewer pixels is not found."""
    max_eps: Positive = 2.0
    """Largest reach considered, in pixels of the network's image."""
    extraction: Literal["eps", "xi"] = "eps"
    """Cut the reachability plot at a height (`eps`), or at steep slopes (`xi`)."""
    eps: Positive = 2.0
    """Height of the cut, in pixels."""
    xi: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """Steepness of the slopes."""
    min_size: Count = 20
    """Smallest cluster, in pixels."""
    min_offset: NonNegative = 0.0
    """Pixels that point nearer than this, in pixels, are background outright; 0 keeps all."""

    @model_validator(mode="after")
    def _within_reach(self) -> Self:
        if "optics" in self.method and self.extraction == "eps" and self.eps > self.max_eps:
            raise ValueError(f"expected eps <= max_eps, found {self.eps} and {self.max_eps}")
        return self


class OptimizerConfig(Config):
    """Adam, and how its learning rate falls."""

    lr: Positive = 1e-4
    """Learning rate."""
    pose_lr_factor: Positive = 1.0
    """Learning rate of pose, as a multiple of `lr`; 10 helps from random weights."""
    weight_decay: NonNegative = 0.0
    """Adam's L2 penalty."""
    lr_step_epoch: Count = 15
    """Epochs after which the rate is multiplied by `lr_gamma`."""
    lr_gamma: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Factor of that drop."""


class EvaluationConfig(Config):
    """How depth is judged. The defaults are the protocol of the 697 test images of Eigen et al.
    and their lidar; the 652 of them with KITTI's improved depth maps are judged with `crop: none`.
    """

    crop: Crop = "garg"
    """Which pixels with true depth are judged. `garg`: those within the crop of Garg et al. (2016)
    whose truth lies between 1 mm and 80 m; `cityscapes`: the same of the crop in which papers
    judge Cityscapes (Watson et al. 2021), rows 256 to 767 and columns 192 to 1855 of 2048x1024;
    `none`: all, however far, as monodepth2 judges against improved depth maps. Predictions are
    clipped to 1 mm and 80 m in any case."""
    flip: bool = False
    """Judge the mean of the disparity of an image and of its mirror image (Godard et al. 2017).
    Published as "pp"; it takes a second look at every image."""
    truth: DepthTruth = "best"
    """`best`: the depth map where an image has one, else its lidar scan; `lidar`: the scan alone,
    as published for the 697 images, wherever improved maps lie beside it."""
    lidar_depth: LidarDepth = "velodyne"
    """What is the depth of a lidar point. `velodyne`: its forward coordinate as the lidar counts,
    some 27 cm more than the camera sees, on which all published numbers rest; `camera`: its
    distance along the camera's axis."""


class TrainConfig(Config):
    """One training: everything that its numbers depend on."""

    data: DataConfig = DataConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    tasks: Annotated[tuple[Task, ...], Field(min_length=1)] = ("depth", "instances")
    """What is learned. Pose always comes with depth."""
    attention: Literal["none", "encoder", "encoder+decoder"] = "encoder+decoder"
    """Where MTAN's soft attention picks each task's features (Liu et al. 2019)."""
    encoder: EncoderConfig = EncoderConfig()
    decoder: DecoderConfig = DecoderConfig()
    pose: PoseConfig = PoseConfig()
    depth: DepthConfig = DepthConfig()
    offsets: OffsetConfig = OffsetConfig()
    weighting: WeightingConfig = WeightingConfig()
    optics: OpticsConfig = OpticsConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    epochs: Count = 20
    """Passes over the training split."""
    batch_size: Count = 12
    """Triplets a step."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """What the network's features are trained in; on a GPU, PyTorch convolves `fp32` in TF32.
    `bf16` halves their memory, and is faster where the hardware multiplies bfloat16. Disparities,
    motion, losses, parameters and all judging stay in float32."""
    max_steps_per_epoch: Count | None = None
    """End an epoch early after so many steps; none means the whole split."""
    max_val_samples: Count | None = None
    """Validate on so many samples, evenly spread over the split; none means all."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Initialisation, data order and augmentation follow from it."""

    @model_validator(mode="after")
    def _tasks_once(self) -> Self:
        if len(set(self.tasks)) != len(self.tasks):
            raise ValueError(f"expected each task once, found {list(self.tasks)}")
        return self


class ClusteringConfig(Config):
    """One clustering of what a trained network says: nothing is trained, and nothing is random."""

    tasks: ClassVar[tuple[Task, ...]] = ("instances",)
    epochs: ClassVar[int] = 1
    seed: ClassVar[int] = 0

    optics: OpticsConfig = OpticsConfig()
