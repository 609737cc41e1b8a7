"""The status strip: is the detector well?"""
