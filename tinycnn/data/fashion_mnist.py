"""Fashion-MNIST: pictures of clothes, in the form of MNIST."""

from .mnist import MNIST


class FashionMNIST(MNIST):
    """60,000 + 10,000 pictures of clothes in ten classes, 28 x 28 grey levels.

    Everything is as in `MNIST`; sub-folders searched are fashion_mnist, FashionMNIST and
    FashionMNIST/raw. A download is 31 MB.

    Args:    root, train, transform, target_transform, download: as in `MNIST`.
    Raises:  DatasetNotFound: if it is nowhere to be had.
             ValueError: if a file is damaged.
    Example: >>> image, label = FashionMNIST("folder")[0]  # doctest: +SKIP
             >>> image.shape  # doctest: +SKIP
             (1, 28, 28)
    Source:  Xiao, Rasul & Vollgraf 2017, "Fashion-MNIST: a novel image dataset for benchmarking
             machine learning algorithms".
    """

    mirrors = (
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",  # it has no https
    )
    folders = ("fashion_mnist", "FashionMNIST", "FashionMNIST/raw", "fashion", "raw", "")
    names = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker",
             "Bag", "Ankle boot")
    checksums = {
        "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
        "train-images-idx3-ubyte": "md5:f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "md5:9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "md5:8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "md5:15d484375f8d13e6eb1aabb0c3f46965",
    }
